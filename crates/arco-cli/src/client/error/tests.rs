use arco_wire::problem::Problem;

use super::*;

fn refused(status: u16, code: &str) -> CallError {
    CallError::Refused(Box::new(Problem {
        type_url: String::new(),
        title: String::new(),
        status,
        detail: String::new(),
        code: code.into(),
        request_id: String::new(),
        hints: Vec::new(),
    }))
}

#[test]
fn what_time_mends_is_tried_again_and_what_a_person_mends_is_not() {
    for (error, again) in [
        (refused(503, "stopped"), true),
        (refused(503, "store_unavailable"), true),
        (refused(503, "read_only"), false),
        (refused(429, "too_many_streams"), true),
        (refused(404, "unknown_run"), false),
    ] {
        assert_eq!(error.is_transient(), again, "{error:?}");
    }
}
