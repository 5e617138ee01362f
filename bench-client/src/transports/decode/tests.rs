use super::*;

const UPDATE: &str = r#"{"topic":"match-1","epoch":1,"offset":42,"seq":7,"due_us":1763631127000000,"sent_us":1763631127000100,"home":"Norrland","away":"Südport","home_score":2,"away_score":1,"minute":67,"event":"goal","player":"Ada Löfgren"}"#;

fn topics() -> Arc<TopicIndex> {
    Arc::new([("match-1".to_owned(), 0), ("match-2".to_owned(), 1)].into())
}

#[test]
fn what_the_server_writes_is_scanned() {
    assert!(agreement::of_update(UPDATE, &topics()));
    let padded = UPDATE.replace(r#""}"#, r#"","pad":"xxxx"}"#);
    assert!(agreement::of_update(&padded, &topics()));
    let shootout = UPDATE
        .replace("Ada Löfgren", "4-2")
        .replace("\"goal\"", "\"shootout_result\"");
    assert!(agreement::of_update(&shootout, &topics()));
    let scanned = Decoder::new(topics()).scan_update(&shootout, 7).expect("as written");
    assert_eq!((scanned.shootout, scanned.seq), (Some([4, 2]), 7));
    for rest in ["", r#","more":true"#] {
        let answer = format!(r#"{{"updates":[{UPDATE},{padded}],"cursor":"1-42"{rest}}}"#);
        assert!(agreement::of_answer(answer.as_bytes(), &topics()), "{answer}");
    }
    assert!(agreement::of_answer(br#"{"updates":[],"cursor":"1-42"}"#, &topics()));
}

/// Right or wrong, it is for serde_json to say.
#[test]
fn whatever_is_spelled_otherwise_the_scan_leaves_alone() {
    for (from, to) in [
        (":42", ": 42"),
        (":42", ":042"),
        (":42", ":4.2e1"),
        (":42", ":-42"),
        (":42", ":18446744073709551615"),
        (":42", ":99999999999999999999"),
        ("\"seq\":7,", ""),
        ("\"seq\":7", "\"seq\":7,\"seq\":7"),
        ("match-1", "match-9"),
        ("match-1", "match\\u002d1"),
        ("Norrland", "Norr\\nland"),
        ("Norrland", "Norr\nland"),
        ("Norrland", "Norr\"land"),
        ("\"home_score\":2", "\"home_score\":65536"),
        ("\"minute\":67", "\"minute\":null"),
        ("}", "} "),
        ("}", ",\"more\":1}"),
        ("}", ""),
    ] {
        let other = UPDATE.replacen(from, to, 1);
        assert_ne!(other, UPDATE);
        assert!(!agreement::of_update(&other, &topics()), "{other}");
    }
    for answer in [
        format!(r#"{{"updates":[{UPDATE},],"cursor":"1-42"}}"#),
        format!(r#"{{"updates":[{UPDATE}{UPDATE}],"cursor":"1-42"}}"#),
        format!(r#"{{"updates":[{UPDATE}],"cursor":"1-42","reset":{{"reason":"ahead"}}}}"#),
        format!(r#"{{"updates":[{UPDATE}],"cursor":"1"}}"#),
        format!(r#"{{"updates":[{UPDATE}],"cursor":"1-42"}}}}"#),
        r#"{"updates":[],"cursor":"1-42","more":true}"#.to_owned(),
        String::new(),
    ] {
        assert!(!agreement::of_answer(answer.as_bytes(), &topics()), "{answer}");
    }
}

#[test]
fn the_first_and_then_one_in_many_is_read_in_full() {
    let mut decoder = Decoder::new(topics());
    let checked: Vec<_> = (0..=2 * CHECKED_IN_FULL).filter(|_| decoder.is_checked()).collect();
    assert_eq!(checked, [0, CHECKED_IN_FULL, 2 * CHECKED_IN_FULL]);
}

/// A scan that has gone wrong (here: a topic it takes for another) is told, not counted.
#[test]
fn two_readings_that_disagree_are_an_error() {
    let mut decoder = Decoder::new(topics());
    decoder.known = Some(("match-1".into(), 1));
    let said = decoder.update(UPDATE, 7).expect_err("they disagree").to_string();
    assert!(said.contains("disagree"), "{said}");
    let mut decoder = Decoder::new(topics());
    decoder.known = Some(("match-1".into(), 1));
    let mut arrivals = Arrivals::default();
    let answer = format!(r#"{{"updates":[{UPDATE}],"cursor":"1-42"}}"#);
    let said = decoder
        .answer(answer.as_bytes(), 7, &mut arrivals)
        .expect_err("they disagree");
    assert!(said.to_string().contains("disagree") && arrivals.updates.is_empty());
}
