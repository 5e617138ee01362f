//! Invented clubs and players, and who plays whom.
//!
//! Names are short on purpose: the server pads updates to a size users choose, and a bare update should leave them room below
//! 256 bytes even with 10,000 topics. A few are not ASCII, because real names are not either.

use super::random::Random;
use crate::feed::Match;

/// Players of one side.
pub const SQUAD: usize = 14;

/// An even number, so that in every round each club has an opponent.
#[rustfmt::skip]
pub const CLUBS: [&str; 48] = [
    "Åkerby", "Niño CF", "Ölsund", "Torvik", "Brannoc", "Castrel", "Dunmarra", "Elverton",
    "Fjellby", "Garnowo", "Halvora", "Iskaden", "Jorvina", "Kestrana", "Lomvale", "Marzano",
    "Nordheim", "Oakmoor", "Pravno", "Quillan", "Ravelda", "Stavelin", "Tarnholm", "Uldavik",
    "Valdero", "Westmere", "Xandria", "Ystrad", "Zelenko", "Ambleton", "Belvaro", "Corvale",
    "Dravik", "Estavo", "Faldane", "Grimsund", "Holtbeck", "Ilmenby", "Junosa", "Kirkmoor",
    "Lindvall", "Montoro", "Łęgowo", "Orsova", "Pellworm", "Rosmark", "São Gil", "Trevane",
];

/// Family names alone.
#[rustfmt::skip]
pub const PLAYERS: [&str; 64] = [
    "Alba", "Amaro", "Berg", "Børk", "Boro", "Bruun", "Cano", "Celik",
    "Costa", "Dahl", "Daro", "Diop", "Duric", "Egan", "Ekdal", "Eto",
    "Faro", "Faye", "Fonn", "Galo", "Gray", "Gül", "Haas", "Holm",
    "Ibsen", "Iten", "Ivic", "Jansa", "Juric", "Karr", "Kaya", "Keita",
    "Klee", "Vučo", "Lamb", "Lind", "Lopo", "Lunde", "Maas", "Manó",
    "Mori", "Nagy", "Ndong", "Nolan", "Oduya", "Ortiz", "Otto", "Özay",
    "Park", "Pires", "Puga", "Quinn", "Rama", "Reyes", "Roux", "Søby",
    "Sato", "Silva", "Thorn", "Tove", "Ueda", "Vidal", "Wolff", "Zorn",
];

/// The first `topics` matches of the season: in each round every club plays once, against whom is drawn anew.
pub fn fixtures(topics: usize, random: &mut Random) -> Vec<Match> {
    let mut clubs = CLUBS;
    let mut matches = Vec::with_capacity(topics);
    while matches.len() < topics {
        shuffle(&mut clubs, random);
        for pair in clubs.chunks_exact(2).take(topics - matches.len()) {
            matches.push(Match::new(matches.len(), pair[0], pair[1]));
        }
    }
    matches
}

/// Fisher-Yates.
fn shuffle<T>(items: &mut [T], random: &mut Random) {
    for last in (1..items.len()).rev() {
        items.swap(last, random.below(last as u32 + 1) as usize);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{super::random::Stream, *};

    const MAX_CLUB_BYTES: usize = 8;
    const MAX_PLAYER_BYTES: usize = 5;

    #[test]
    fn names_are_distinct_and_short() {
        let distinct = |names: &[&str]| names.iter().collect::<HashSet<_>>().len() == names.len();
        assert!(distinct(&CLUBS) && distinct(&PLAYERS));
        let too_long = |names: &[&'static str], max| names.iter().copied().find(|name: &&str| name.len() > max);
        assert_eq!(too_long(&CLUBS, MAX_CLUB_BYTES), None);
        assert_eq!(too_long(&PLAYERS, MAX_PLAYER_BYTES), None);
    }

    #[test]
    fn every_club_plays_once_a_round() {
        let matches = fixtures(100, &mut Random::new(7, Stream::Fixtures, 0));
        assert_eq!(matches.len(), 100);
        assert_eq!(
            (matches[0].topic.as_str(), matches[99].topic.as_str()),
            ("match-1", "match-100")
        );
        for round in matches.chunks_exact(CLUBS.len() / 2) {
            let playing: HashSet<_> = round.iter().flat_map(|m| [&m.home, &m.away]).collect();
            assert_eq!(playing.len(), CLUBS.len());
        }
        let rounds: Vec<_> = matches.chunks(CLUBS.len() / 2).take(2).collect();
        assert_ne!(rounds[0][0].home, rounds[1][0].home, "rounds are drawn anew");
    }
}
