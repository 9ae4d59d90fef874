use super::{Kind, items};

const SOURCE: &str = r##"
"""def in_a_docstring(): ..."""
import pytest  # def in_a_comment():

LIMIT: int = 3
names = ["a",
    "def in_a_list():"]

@pytest.mark.parametrize(
    ("a", "b"),
    [(1, "pytest.mark.skip")],
)
def test_plain(a, b):
    inner = 1
    def test_inside(): ...

@pytest.mark.skip(reason="later")
def test_left_out(): ...

@pytest.mark.parametrize("a", [pytest.param(1, marks=pytest.mark.xfail)])
def test_one_case_fails(a): ...

async def test_async(): ...

class TestGroup:
    size = 2

    def test_in_class(self):
        '''def x():'''

    @pytest.mark.skipif(True, reason="")
    def test_left_out_in_class(self): ...

class TestMarked:
    def test_in_marked(self): ...
    pytestmark = [pytest.mark.xfail]

def helper(): ...
"##;

fn kind(symbol: &str) -> Option<Kind> {
    let all = items(SOURCE);
    all.iter()
        .find(|item| item.is_named(symbol))
        .map(|item| item.kind)
}

#[test]
fn tests_and_their_marks_are_found() {
    for symbol in [
        "test_plain",
        "test_async",
        "TestGroup::test_in_class",
        "helper",
    ] {
        assert_eq!(
            kind(symbol),
            Some(Kind::Function { skipped: false }),
            "{symbol}"
        );
    }
    for symbol in [
        "test_left_out",
        "test_one_case_fails",
        "TestGroup::test_left_out_in_class",
        "TestMarked::test_in_marked",
    ] {
        assert_eq!(
            kind(symbol),
            Some(Kind::Function { skipped: true }),
            "{symbol}"
        );
    }
}

#[test]
fn names_and_classes_are_items() {
    for symbol in ["LIMIT", "names", "TestGroup", "TestGroup.size"] {
        assert_eq!(kind(symbol), Some(Kind::Other), "{symbol}");
    }
}

#[test]
fn what_is_mentioned_or_local_is_no_item() {
    for symbol in [
        "in_a_docstring",
        "in_a_comment",
        "in_a_list",
        "test_inside",
        "inner",
        "x",
        "test_in_class",
        "pytest",
    ] {
        assert_eq!(kind(symbol), None, "{symbol}");
    }
}

#[test]
fn mark_of_a_module_marks_its_tests() {
    let marked = "import pytest\ndef test_a(): ...\npytestmark = pytest.mark.skip\n";
    assert_eq!(items(marked)[0].kind, Kind::Function { skipped: true });
}
