//! Exchanges with API v3: one action, or up to 25 in one request; the answer as data or an error each.
//!
//! Every request is a POST of a form to one address, so that neither credential nor parameters are part of a URL. Does not
//! know what the actions mean.

use crate::action::Action;
use crate::data::{Data, Row};
use crate::errors::{NOT_REACHED, TOO_MANY, invalid, nonsense, of_code, of_status};
use linodetool_plugin::{Auth, Cx, Level, ProviderError, Request, Result, try_join_lanes};
use serde_json::Value;
use std::collections::BTreeMap;

/// More in one batch is refused with code 10.
pub(crate) const BATCH: usize = 25;

/// Batches of reads under way at once: enough to hide the delay of each. What changes something goes in order.
const LANES: usize = 4;

/// Pauses before what was not carried out is sent again. API v3 publishes no limit, so these find it.
const PAUSES_MS: [u64; 5] = [1_000, 2_000, 4_000, 8_000, 16_000];

/// Where API v3 is.
pub(crate) struct Api {
    url: String,
}

/// What became of one action.
enum Outcome {
    Answered(Result<Data>),
    /// Certainly without effect: it may be sent again.
    NotRun(ProviderError),
}

impl Api {
    /// A base URL, with or without a slash at its end.
    pub(crate) fn at(base_url: &str) -> Result<Self> {
        let base_url = base_url.trim_end_matches('/');
        if base_url.starts_with("https://") || base_url.starts_with("http://") {
            return Ok(Self { url: format!("{base_url}/") });
        }
        let message = format!("`{base_url}` is no address of an API: give one like https://api.linode.com");
        Err(invalid("base_url", message))
    }

    /// One action.
    pub(crate) async fn call(&self, cx: &Cx, action: Action) -> Result<Data> {
        let mut answers = self.chunk(cx, &[action]).await?;
        answers.pop().unwrap_or_else(|| Err(nonsense("the provider gave no answer")))
    }

    /// Many actions, an answer each, in their order. One that fails stops none of the others.
    ///
    /// # Errors
    /// A whole request failed: of what changes something it is not known how much happened.
    pub(crate) async fn all(&self, cx: &Cx, actions: &[Action]) -> Result<Vec<Result<Data>>> {
        let lanes = if actions.iter().all(Action::only_reads) { LANES } else { 1 };
        let parts = actions.chunk_by(|a, b| !a.goes_alone() && !b.goes_alone()).flat_map(|part| part.chunks(BATCH));
        let answers = try_join_lanes(lanes, parts.map(|part| self.chunk(cx, part))).await?;
        Ok(answers.into_iter().flatten().collect())
    }

    /// Many actions that must all go well.
    pub(crate) async fn every(&self, cx: &Cx, actions: &[Action]) -> Result<Vec<Data>> {
        self.all(cx, actions).await?.into_iter().collect()
    }

    /// What fits into one request, sent again in part while the API says that it did not come to it.
    async fn chunk(&self, cx: &Cx, actions: &[Action]) -> Result<Vec<Result<Data>>> {
        let mut answers: Vec<Option<Result<Data>>> = actions.iter().map(|_| None).collect();
        let mut pauses = PAUSES_MS.iter();
        loop {
            let open: Vec<usize> = (0..actions.len()).filter(|&place| answers[place].is_none()).collect();
            let asked: Vec<&Action> = open.iter().map(|&place| &actions[place]).collect();
            let mut last = None;
            for (&place, outcome) in open.iter().zip(self.ask(cx, &asked).await?) {
                match outcome {
                    Outcome::Answered(answer) => answers[place] = Some(answer),
                    Outcome::NotRun(why) => last = Some(why),
                }
            }
            let Some(why) = last else { break };
            let Some(&pause) = pauses.next() else {
                answers.iter_mut().filter(|answer| answer.is_none()).for_each(|open| *open = Some(Err(why.clone())));
                break;
            };
            cx.log(Level::Debug, format!("{}: again in {pause} ms: {why}", actions[0].name()));
            cx.sleep_ms(pause).await;
        }
        Ok(answers.into_iter().flatten().collect())
    }

    /// One request; an outcome for each action.
    async fn ask(&self, cx: &Cx, actions: &[&Action]) -> Result<Vec<Outcome>> {
        let form = match actions {
            [one] => one.form(),
            many => {
                let array = Value::Array(many.iter().map(|action| action.item()).collect());
                let field = |name: &str, value: String| (name.to_owned(), value);
                BTreeMap::from([field("api_action", "batch".to_owned()), field("api_requestArray", array.to_string())])
            }
        };
        let repeat = actions.iter().all(|action| action.may_be_repeated());
        let request = Request::post(&self.url).auth(Auth::Form("api_key".to_owned())).form(form).safe_to_repeat(repeat);
        let response = cx.http(request).await?;
        if response.status != 200 {
            return Err(of_status(&response));
        }
        match response.json::<Value>()? {
            Value::Array(items) if actions.len() > 1 => outcomes(items, actions),
            Value::Array(_) => Err(nonsense("the provider answered one action with a list of answers")),
            // A batch that is refused as a whole is answered like one action.
            whole if actions.len() == 1 => Ok(vec![envelope(whole)]),
            whole => match envelope(whole) {
                Outcome::NotRun(why) => Ok(actions.iter().map(|_| Outcome::NotRun(why.clone())).collect()),
                Outcome::Answered(Err(error)) => Err(error),
                Outcome::Answered(Ok(_)) => Err(nonsense("the provider answered a batch with a single answer")),
            },
        }
    }
}

fn outcomes(items: Vec<Value>, actions: &[&Action]) -> Result<Vec<Outcome>> {
    let (asked, got) = (actions.len(), items.len());
    if got > asked {
        return Err(nonsense(format!("the provider answered a batch of {asked} with {got} answers")));
    }
    let mut outcomes: Vec<_> = items.into_iter().map(envelope).collect();
    for action in &actions[got..] {
        let why = nonsense(format!("the provider's answer to {} is missing from its batch", action.name()));
        outcomes.push(if action.only_reads() { Outcome::NotRun(why) } else { Outcome::Answered(Err(why)) });
    }
    Ok(outcomes)
}

/// `{"ERRORARRAY":[..],"DATA":..,"ACTION":..}`. Success is no error, or errors whose code is 0.
fn envelope(value: Value) -> Outcome {
    let Some(mut whole) = Row::of(value) else {
        return Outcome::Answered(Err(nonsense("the provider answered with something that is no answer of API v3")));
    };
    let Some(Value::Array(errors)) = whole.take("errorarray") else {
        return Outcome::Answered(Err(nonsense("the provider answered without saying whether it went well")));
    };
    let errors = errors.into_iter().filter_map(Row::of);
    let mut errors = errors.map(|row| (row.signed("errorcode").unwrap_or(1), row.text("errormessage")));
    let Some((code, mut message)) = errors.by_ref().find(|(code, _)| *code != 0) else {
        return Outcome::Answered(Ok(Data(whole.take("data").unwrap_or_default())));
    };
    for (_, more) in errors.filter(|(code, _)| *code != 0) {
        message = format!("{message}; {more}");
    }
    let error = of_code(code, &message);
    match code {
        TOO_MANY | NOT_REACHED => Outcome::NotRun(error),
        _ => Outcome::Answered(Err(error)),
    }
}

/// An id that API v3 counts in numbers, checked before it is sent.
pub(crate) fn number(field: &str, id: &str) -> Result<u64> {
    let digits = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    match id.parse() {
        Ok(number) if digits && number > 0 => Ok(number),
        _ => Err(invalid(field, format!("`{id}` is not an id of this provider: its ids are whole numbers"))),
    }
}
