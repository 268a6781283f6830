//! Which of the words that are like ids (request ids, numbers) a chunk may hold: a split block Bloom filter, as Apache Parquet
//! describes it. Such words are too many for a dictionary, and hardly one is ever asked for.

use xxhash_rust::xxh3::xxh3_64;

const SALT: [u32; 8] = [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];
/// Bits for each word.
const BITS: usize = 14;
/// Bytes of a block.
pub(crate) const BLOCK: usize = 32;

/// Whether a word, folded, is left to the filter: it has a digit and four characters, or it is very long.
pub(crate) fn is_like_id(word: &str) -> bool {
    word.len() >= 4 && word.bytes().any(|b| b.is_ascii_digit()) || word.len() > 40
}

/// The hash of a word.
pub(crate) fn hash(word: &str) -> u64 {
    xxh3_64(word.as_bytes())
}

/// A filter over hashes, of which each may occur several times.
pub(crate) fn build(hashes: &mut Vec<u64>) -> Vec<u8> {
    hashes.sort_unstable();
    hashes.dedup();
    let blocks = (hashes.len() * BITS).div_ceil(BLOCK * 8);
    let mut filter = vec![0u32; blocks * 8];
    for hash in hashes.iter() {
        let at = block_of(*hash, blocks) * 8;
        for (word, mask) in filter[at..at + 8].iter_mut().zip(mask(*hash)) {
            *word |= mask;
        }
    }
    filter.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// The block of a filter in which a hash is told.
pub(crate) fn block_of(hash: u64, blocks: usize) -> usize {
    ((hash >> 32).wrapping_mul(blocks as u64) >> 32) as usize
}

/// Whether a block tells of a hash.
pub(crate) fn holds(block: &[u8; BLOCK], hash: u64) -> bool {
    block.chunks_exact(4).zip(mask(hash)).all(|(bytes, mask)| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) & mask == mask)
}

fn mask(hash: u64) -> [u32; 8] {
    SALT.map(|salt| 1 << ((hash as u32).wrapping_mul(salt) >> 27))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_is_found_and_little_else() {
        let mut hashes: Vec<u64> = (0..4000).map(|i| hash(&format!("{i:08x}"))).collect();
        let filter = build(&mut hashes);
        let asks = |word: &str| {
            let hash = hash(word);
            let at = block_of(hash, filter.len() / BLOCK) * BLOCK;
            holds(filter[at..at + BLOCK].try_into().unwrap(), hash)
        };
        assert!((0..4000).all(|i| asks(&format!("{i:08x}"))));
        assert!((4000..14_000).filter(|i| asks(&format!("{i:08x}"))).count() < 60);
        assert!(is_like_id("d5876083") && is_like_id("8080") && !is_like_id("502") && !is_like_id("refused"));
    }
}
