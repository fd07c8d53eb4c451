//! Questions to a server without a connection: is it there, how many play, and what does the game say of itself?
//!
//! A question goes to the port of the game and costs the server one answer, no memory and no place. Anybody can write any
//! address into a question, so an answer is never longer than its question, and a server gives only so many
//! (`endpoint::queries`). A stock ENet drops both without a word, for a reason that `wire` has.

mod browser;
mod value;
mod wire;

pub use browser::{Browser, BrowserEvent, BrowserFull, QueryId, Route, Server};
pub use value::{MAX_DEPTH, MAX_INFO, QueryInfo, QueryInfoError, Value};
pub use wire::{Answer, QUESTION_LEN, Question, is_query};

/// For the fuzzer: everything that reads bytes of strangers here. What was read is written again, and read as the same.
///
/// # Panics
/// When that is not so.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    if let Some(question) = Question::read(bytes) {
        assert_eq!(Question::read(&question.write()), Some(question));
    }
    let info = match Answer::read(bytes) {
        Some(answer) => {
            let written = answer.write();
            assert_eq!(Answer::read(&written), Some(answer));
            assert!(written.len() <= QUESTION_LEN);
            QueryInfo::read(answer.info)
        }
        None => QueryInfo::read(bytes),
    };
    if let Some(values) = info.as_ref().and_then(|info| info.values()) {
        // Numbers can be written shorter than a stranger has, never longer.
        let again = QueryInfo::new(&values).map(|info| info.values());
        assert_eq!(format!("{again:?}"), format!("{:?}", Ok::<_, QueryInfoError>(Some(values))));
    }
}
