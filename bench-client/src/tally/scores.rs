//! How the matches ended, as the clients showed it.

use crate::{
    record::FinalScore,
    virtual_client::{ClientLog, Receipt},
};

/// What a client showed of one match.
type Shown = (u16, u16, Option<[u8; 2]>);

/// The last score of every topic that somebody followed; the matches are (topic, home, away).
pub fn final_scores(clients: &[ClientLog], matches: &[(String, String, String)]) -> Vec<FinalScore> {
    // Per topic: the newest update anybody held, the score in it, and whether everybody showed that score.
    let mut last: Vec<Option<(u64, Shown, bool)>> = vec![None; matches.len()];
    for log in clients {
        let mut held: Vec<Option<Receipt>> = vec![None; matches.len()];
        for receipt in &log.receipts {
            let newest = &mut held[receipt.topic as usize];
            if newest.is_none_or(|newest| newest.seq < receipt.seq) {
                *newest = Some(*receipt);
            }
        }
        for (last, receipt) in last.iter_mut().zip(held) {
            let Some(receipt) = receipt else { continue };
            let shown = (receipt.home_score, receipt.away_score, receipt.shootout);
            match last {
                None => *last = Some((receipt.seq, shown, true)),
                Some((seq, newest, agreed)) => {
                    *agreed &= *newest == shown;
                    if receipt.seq > *seq {
                        (*seq, *newest) = (receipt.seq, shown);
                    }
                }
            }
        }
    }
    let named = matches.iter().zip(last);
    named
        .filter_map(|((topic, home, away), last)| {
            let (_, (home_score, away_score, shootout), agreed) = last?;
            Some(FinalScore {
                topic: topic.clone(),
                home: home.clone(),
                away: away.clone(),
                home_score,
                away_score,
                shootout,
                agreed,
                expected: None,
            })
        })
        .collect()
}
