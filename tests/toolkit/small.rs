//! What is asked of this computer, and what is refused before anything is asked.

use crate::lost::{WORKS, process, world};
use crate::support::{begin, within};
use linodetool::core::FailureKind;
use linodetool::inventory::Node;
use linodetool::toolkit::http::PageOptions;

#[test]
fn a_path_is_below_the_folder_of_the_run_wherever_it_goes_on() {
    let world = world();
    let process = process(&world, WORKS);
    std::fs::write(world.dir.path().join("words.txt"), "one two two").unwrap();
    let run = begin(&process.app);
    let text = within(&run, |at| process.app.toolkit.open_text(at, Some("words.txt"))).unwrap();
    assert_eq!((text.counts.words, text.counts.distinct), (3, 2));
    let steps = process.app.toolkit.runs().show(run.id()).unwrap().steps;
    assert_eq!(steps[0].args["path"], "words.txt");
}

#[test]
fn a_page_is_a_path_and_no_other_host() {
    let world = world();
    let process = process(&world, WORKS);
    let node = Node { name: "web-1".into(), ..Node::default() };
    let ask = |path| {
        let options = PageOptions::default();
        within(&begin(&process.app), |at| process.app.toolkit.http_get(at, &node, 80, path, &options)).unwrap_err()
    };
    let failure = ask("@example.com/");
    assert_eq!(failure.kind, FailureKind::Usage);
    assert_eq!(failure.message, "the path of a page begins with /, and `@example.com/` does not");
}

#[test]
fn whether_a_secret_is_there_is_in_the_journal_and_its_value_is_not() {
    let world = world();
    let process = process(&world, WORKS);
    let toolkit = &process.app.toolkit;
    let run = begin(&process.app);
    let failure = within(&run, |at| toolkit.find_secret(at, "db")).unwrap_err();
    assert_eq!(failure.kind, FailureKind::NotFound);
    toolkit.secret_store().set("db", &linodetool::core::Secret::new("hunter2".to_owned())).unwrap();
    within(&begin(&process.app), |at| toolkit.find_secret(at, "db")).unwrap();
    // The run that did not find it goes the same way again.
    let id = run.id().clone();
    drop(run);
    let steps = toolkit.runs().show(&id).unwrap().steps;
    assert_eq!((steps[0].op.as_str(), steps[0].args.to_string().contains("hunter2")), ("secrets.find", false));
}
