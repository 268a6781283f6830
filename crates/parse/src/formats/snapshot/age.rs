//! Lengths of time as command line tools write them beside their rows.

/// Nanoseconds of an age as kubectl writes it: `45s`, `119s`, `9m58s`, `62m`, `3h5m`, `34h`, `3d4h`, `27d`, `2y11d`.
///
/// From ten minutes on, kubectl cuts off what is smaller than the last unit (apimachinery, `duration.HumanDuration`); half of that
/// is added, so that the answer is wrong by at most as much, either way.
pub(super) fn kubectl(text: &str) -> Option<i64> {
    let (mut total, mut last, mut rest) = (0i64, 0i64, text);
    if text.len() > 12 {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let value: i64 = rest.get(..digits)?.parse().ok()?;
        let unit = match rest.as_bytes().get(digits)? {
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            b'y' => 31_536_000,
            _ => return None,
        };
        if last != 0 && unit >= last {
            return None;
        }
        last = unit;
        total = total.checked_add(value.checked_mul(unit)?)?;
        rest = rest.get(digits + 1..)?;
    }
    let cut = if last == 0 {
        return None;
    } else if total >= 600 {
        last / 2
    } else {
        0
    };
    total.checked_add(cut)?.checked_mul(1_000_000_000)
}

/// Nanoseconds of an age as Docker writes it before `ago`: `5 minutes`, `About an hour`, `3 weeks`, `Less than a second`.
pub(super) fn docker(text: &str) -> Option<i64> {
    let text = text.trim().strip_suffix(" ago").unwrap_or(text.trim());
    let (count, unit) = match text {
        "Less than a second" => (0, 1),
        "About a minute" => (1, 60),
        "About an hour" => (1, 3_600),
        _ => {
            let (count, unit) = text.split_once(' ')?;
            let unit = match unit.trim_end_matches('s') {
                "second" => 1,
                "minute" => 60,
                "hour" => 3_600,
                "day" => 86_400,
                "week" => 604_800,
                "month" => 2_592_000,
                "year" => 31_536_000,
                _ => return None,
            };
            (count.parse::<i64>().ok()?, unit)
        }
    };
    let cut = if unit > 1 { unit / 2 } else { 0 };
    count.checked_mul(unit)?.checked_add(cut)?.checked_mul(1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        for (text, seconds) in [
            ("45s", Some(45)),
            ("119s", Some(119)),
            ("9m58s", Some(598)),
            ("62m", Some(3750)),
            ("3h5m", Some(11130)),
            ("2y11d", Some(64_065_600)),
            ("", None),
            ("5", None),
            ("5m7h", None),
            ("999999999999d", None),
        ] {
            assert_eq!(kubectl(text), seconds.map(|s: i64| s * 1_000_000_000), "{text}");
        }
        assert_eq!(docker("5 minutes ago"), Some(330_000_000_000));
        assert_eq!(docker("Less than a second ago"), Some(0));
        assert_eq!(docker("soon"), None);
    }
}
