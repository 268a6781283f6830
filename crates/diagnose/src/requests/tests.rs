use super::*;
use proptest::prelude::*;

fn exchange(of: (u32, i64, u32, u16), line: u32) -> Exchange {
    let (source, millis, micros, status) = of;
    Exchange {
        source,
        line,
        form: Form::Explicit,
        millis,
        is_start: source == 1,
        access: true,
        inherited: false,
        micros,
        queue: line,
        status,
        upstream_status: 0,
        client: line % 7,
        path: line % 5,
        upstream: 0,
        server: u32::from(status),
        agent: 1,
        host: source,
        service: 0,
        termination: *b"--",
        id: u64::from(line) << 40,
        exact: line,
    }
}

proptest! {
    /// Rows give back the requests that were put in, in order, whatever parts they came in; stretches and kinds hold what a look at every
    /// request finds.
    #[test]
    fn requests_come_back_in_order(
        all in prop::collection::vec((0u32..3, 0i64..2_000, prop_oneof![Just(u32::MAX), 0u32..900_000], 200u16..203), 0..400),
        parts in 1usize..5, from in 0i64..2_500, length in 0i64..900, copies in 1usize..40, room in 0usize..4,
    ) {
        let spill = Spill::with_room(room);
        let mut rows: Vec<Rows> = (0..parts).map(|_| Rows::on(&spill)).collect();
        let mut want = Vec::new();
        for (line, of) in (0u32..).zip(all.iter().cycle().take(all.len() * copies)) {
            let e = exchange(*of, line);
            rows[line as usize / 100 % parts].push(&e);
            let at = e.millis + 1000 * i64::from(e.source);
            let took = if e.micros == u32::MAX { 0 } else { i64::from(e.micros) / 1000 };
            let (start, end) = if e.is_start { (at, at + took) } else { (at - took, at) };
            want.push((start, end, Exchange { millis: start, ..e }));
        }
        want.sort_by_key(|(start, _, e)| (*start, e.source, e.line));
        let mut merged = Rows::on(&spill);
        rows.into_iter().for_each(|part| merged.merge(part, &|id| id));
        let mut requests = Requests::new(merged, |kind, millis| millis + 1000 * i64::from(kind.source));
        let plain = |r: Request| (r.start, r.end, r.of);
        prop_assert_eq!(requests.len(), want.len());
        prop_assert_eq!(requests.iter().map(plain).collect::<Vec<_>>(), want.clone());
        let chosen = requests.choose(|kind| kind.status == 201 || kind.source == 2);
        let is_chosen = |e: &Exchange| e.status == 201 || e.source == 2;
        let to = from + length;
        let found: Vec<_> = requests.ended(&chosen, from, to).map(|(number, r)| (number, plain(r))).collect();
        let wanted = (0u32..).zip(&want).filter(|(_, (_, end, e))| is_chosen(e) && (from..=to).contains(end));
        prop_assert_eq!(&found, &wanted.map(|(number, w)| (number, *w)).collect::<Vec<_>>());
        for (number, r) in found {
            prop_assert_eq!(requests.get(number).map(plain), Some(r));
        }
        for (kind, sum) in requests.all_kinds() {
            let same: Vec<_> = (0u32..).zip(&want).filter(|(_, (_, _, e))| e.source == kind.source && e.status == kind.status).collect();
            prop_assert_eq!(sum.rows, same.len());
            prop_assert_eq!(Some(sum.first), same.first().map(|(number, _)| *number));
            prop_assert_eq!(sum.ended.0, same.iter().map(|(_, w)| w.1).min().unwrap());
        }
        requests.retain(|r| (from..=to).contains(&r.end));
        want.retain(|(_, end, _)| (from..=to).contains(end));
        prop_assert_eq!(requests.iter().map(plain).collect::<Vec<_>>(), want);
        prop_assert_eq!(requests.lost(), None);
    }
}
