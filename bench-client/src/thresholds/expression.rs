//! The grammar: `<transport id | transport/variant | all>.<metric> <op> <number>`, checked before anything is measured.

use super::metric::{self, Metric};
use crate::{
    floor,
    scenario::{nearest, suggestion},
};

/// Stands for every technique of the plan.
const ALL: &str = "all";

/// Of an expression; the names are far shorter.
const LONGEST_BYTES: usize = 200;

/// Longest first: `<` begins `<=`.
const OPS: [(&str, Op); 6] = [
    ("<=", Op::AtMost),
    (">=", Op::AtLeast),
    ("==", Op::Equal),
    ("!=", Op::NotEqual),
    ("<", Op::Below),
    (">", Op::Above),
];

/// What must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// As it was written.
    pub text: String,
    pub subject: Subject,
    pub(super) metric: Metric,
    pub op: Op,
    /// In the metric's unit as it was written.
    pub bound: f64,
}

/// Whose figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    One(String),
    /// Every technique of the plan, or every variant of one transport: these.
    All(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Below,
    AtMost,
    Above,
    AtLeast,
    Equal,
    NotEqual,
}

impl Op {
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Op::Below => value < bound,
            Op::AtMost => value <= bound,
            Op::Above => value > bound,
            Op::AtLeast => value >= bound,
            Op::Equal => value == bound,
            Op::NotEqual => value != bound,
        }
    }
}

/// Why a threshold cannot be checked: the expression, the fault, and one that can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("threshold {text:?}: {fault}; expected such as \"websocket.latency_p99_ms < 50\" or \"all.missed == 0\"")]
pub struct ThresholdError {
    text: String,
    fault: Fault,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum Fault {
    #[error("there is no operator in it; there are < <= > >= == !=")]
    NoOperator,
    #[error("{0:?} is no operator; there are < <= > >= == !=")]
    Operator(String),
    #[error("{0:?} names no figure: a transport, a dot and a metric")]
    NoDot(String),
    #[error("no transport {name:?} in this plan{}; it has {planned}, and \"all\" is every technique among them", suggestion(.nearest.as_deref()))]
    Transport {
        name: String,
        nearest: Option<String>,
        planned: String,
    },
    #[error("no metric {name:?}{}; the numeric columns of summary.csv are metrics (times in _us, _ms or _s), and reach", suggestion(.nearest.as_deref()))]
    Metric { name: String, nearest: Option<String> },
    #[error("{0:?} is no number")]
    Number(String),
    #[error("it has {0} bytes, and {LONGEST_BYTES} are the most")]
    TooLong(usize),
}

impl Threshold {
    /// Reads an expression for a plan with these contenders: transports, or `<transport>/<variant>`.
    pub fn parse(text: &str, contenders: &[String]) -> Result<Self, ThresholdError> {
        read(text, contenders).map_err(|fault| ThresholdError {
            text: text.chars().take(LONGEST_BYTES).collect(),
            fault,
        })
    }
}

fn read(text: &str, contenders: &[String]) -> Result<Threshold, Fault> {
    if text.len() > LONGEST_BYTES {
        return Err(Fault::TooLong(text.len()));
    }
    let is_op = |c: char| "<>=!".contains(c);
    let from = text.find(is_op).ok_or(Fault::NoOperator)?;
    let (figure, rest) = text.split_at(from);
    let (sign, number) = rest.split_at(rest.find(|c| !is_op(c)).unwrap_or(rest.len()));
    let op = OPS.iter().find(|(name, _)| *name == sign).map(|(_, op)| *op);
    let op = op.ok_or_else(|| Fault::Operator(sign.to_owned()))?;
    let (figure, number) = (figure.trim(), number.trim());
    let (name, metric) = figure.split_once('.').ok_or_else(|| Fault::NoDot(figure.to_owned()))?;
    let bound = number.parse::<f64>().ok().filter(|bound| bound.is_finite());
    Ok(Threshold {
        text: text.to_owned(),
        subject: subject(name, contenders)?,
        metric: metric::find(metric).ok_or_else(|| unknown_metric(metric))?,
        op,
        bound: bound.ok_or_else(|| Fault::Number(number.to_owned()))?,
    })
}

fn subject(name: &str, contenders: &[String]) -> Result<Subject, Fault> {
    if name == ALL {
        // The floor is measured, and is no technique to be gated: `all` means it only where there is nothing else.
        let techniques: Vec<String> = contenders.iter().filter(|id| *id != floor::ID).cloned().collect();
        return Ok(Subject::All(if techniques.is_empty() {
            contenders.to_vec()
        } else {
            techniques
        }));
    }
    if contenders.iter().any(|id| id == name) {
        return Ok(Subject::One(name.to_owned()));
    }
    let in_a_variant = |id: &&String| id.split_once('/').is_some_and(|(transport, _)| transport == name);
    let varied: Vec<String> = contenders.iter().filter(in_a_variant).cloned().collect();
    if !varied.is_empty() {
        return Ok(Subject::All(varied));
    }
    Err(Fault::Transport {
        name: name.to_owned(),
        nearest: nearest(name, contenders.iter().map(String::as_str)),
        planned: contenders.join(", "),
    })
}

fn unknown_metric(name: &str) -> Fault {
    Fault::Metric {
        name: name.to_owned(),
        nearest: nearest(name, metric::spellings()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Threshold, ThresholdError> {
        Threshold::parse(text, &["short-poll".to_owned(), "websocket".to_owned()])
    }

    #[test]
    fn blanks_make_no_difference() {
        for text in ["websocket.missed<=3", "  websocket.missed  <=  3 "] {
            let threshold = parse(text).unwrap();
            assert_eq!((threshold.op, threshold.bound), (Op::AtMost, 3.0), "{text}");
            assert_eq!(threshold.subject, Subject::One("websocket".to_owned()));
        }
        assert_eq!(parse("all.reach > -1e-3").unwrap().bound, -0.001);
    }

    #[test]
    fn all_is_every_technique_and_the_floor_is_named() {
        let subject = |text: &str, ids: &[&str]| {
            let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
            Threshold::parse(text, &ids).unwrap().subject
        };
        let all = |ids: &[&str]| Subject::All(ids.iter().map(|id| (*id).to_owned()).collect());
        let planned = ["sse", "floor", "websocket"];
        assert_eq!(subject("all.missed == 0", &planned), all(&["sse", "websocket"]));
        assert_eq!(subject("floor.missed == 0", &planned), Subject::One("floor".to_owned()));
        assert_eq!(
            subject("all.missed == 0", &["floor"]),
            all(&["floor"]),
            "nothing holds of nobody"
        );
    }

    #[test]
    fn every_operator_means_what_it_says() {
        for (sign, below, same, above) in [
            ("<", true, false, false),
            ("<=", true, true, false),
            (">", false, false, true),
            (">=", false, true, true),
            ("==", false, true, false),
            ("!=", true, false, true),
        ] {
            let op = parse(&format!("all.missed {sign} 5")).unwrap().op;
            let holds = [4.0, 5.0, 6.0].map(|value| op.holds(value, 5.0));
            assert_eq!(holds, [below, same, above], "{sign}");
        }
    }

    #[test]
    fn a_fault_is_named_with_the_expression_and_an_example() {
        for (text, fault) in [
            ("websocket.missed", "there is no operator in it"),
            ("websocket.missed = 0", "\"=\" is no operator"),
            ("websocket.missed =< 0", "\"=<\" is no operator"),
            ("missed == 0", "\"missed\" names no figure"),
            (
                "web-socket.missed == 0",
                "no transport \"web-socket\" in this plan (did you mean websocket?)",
            ),
            (
                "sse.missed == 0",
                "it has short-poll, websocket, and \"all\" is every technique",
            ),
            ("all.mised == 0", "no metric \"mised\" (did you mean missed?)"),
            ("all.latency_p99 < 3", "(did you mean latency_p99_"),
            // A column of words, and one that only names the row.
            ("all.mode == 0", "no metric \"mode\""),
            ("all.repeat == 0", "no metric \"repeat\""),
            ("all.missed == none", "\"none\" is no number"),
            ("all.missed == inf", "\"inf\" is no number"),
            ("all.missed ==", "\"\" is no number"),
            ("all.missed == 1 == 1", "\"1 == 1\" is no number"),
        ] {
            let said = parse(text).unwrap_err().to_string();
            assert!(said.contains(fault), "{said}");
            assert!(
                said.contains(&format!("{text:?}")) && said.contains("such as \"websocket."),
                "{said}"
            );
        }
    }
}
