//! What is there only for a while, what it costs meanwhile, and limits of that.

use super::{Stage, told};
use expect_test::expect;

const NODE: &str = r#"fn node(name) {
    nodes::create(#{ name: name, region: "us-east", type: "g6-nanode-1", image: "linode/debian12" })
}
"#;

fn write(stage: &Stage, name: &str, body: &str) -> String {
    let recipe = stage.dir.path().join(name);
    std::fs::write(&recipe, format!("{NODE}{body}")).unwrap();
    recipe.to_str().unwrap().to_owned()
}

#[test]
fn what_is_made_and_destroyed_again_is_told_and_paid() {
    let stage = Stage::new();
    let build = r#"
        for name in ["one", "two"] {
            let builder = node(`builder-${name}`);
            builder.run("make", #{ rehearse: "" });
            nodes::delete(builder.name);
        }
        let c = clusters::ensure(#{ name: "w", region: "us-east", image: "linode/debian12",
            roles: [#{ role: "web", type: "g6-nanode-1" }] });
        node("last");
        clusters::destroy("w");
    "#;
    let outcome = stage.rehearse(&write(&stage, "build.rhai", build), &[]);
    expect![[r#"
        create linode last $0.0075
        for a while linode builder-one $0.0075
        for a while linode builder-two $0.0075
        for a while linode w-web-1 $0.0075
        for a while firewall lt-w $0
        0.0075 an hour, was 0, at most 0.015
    "#]]
    .assert_eq(&told(&outcome));
    assert_eq!(outcome.rehearsal.passing[0].type_id, "g6-nanode-1");
}

#[test]
fn the_peak_is_what_is_there_together() {
    let stage = Stage::new();
    stage.run(&write(&stage, "two.rhai", r#"node("web-a"); node("web-b");"#), &[]);
    // Another one beside, or in the place of one that goes first.
    let beside = r#"node("web-c"); nodes::delete("web-a"); nodes::delete("web-b"); node("web-d");"#;
    let instead = r#"nodes::delete("web-a"); node("web-c"); nodes::delete("web-b"); node("web-d");"#;
    let costs = [("beside.rhai", beside), ("instead.rhai", instead)].map(|(name, body)| {
        let cost = stage.rehearse(&write(&stage, name, body), &[]).rehearsal.cost;
        format!("{}: {} {} {}\n", name, cost.hourly_before, cost.hourly_peak, cost.hourly_after)
    });
    expect![[r#"
        beside.rhai: 0.015 0.0225 0.015
        instead.rhai: 0.015 0.015 0.015
    "#]]
    .assert_eq(&costs.concat());
}
