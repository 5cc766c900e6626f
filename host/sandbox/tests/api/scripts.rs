//! StackScripts and SSH keys.

use expect_test::expect;

use crate::support::Cloud;

const SCRIPT: &str = "#!/bin/bash\\n# <UDF name=\\\"user\\\" label=\\\"Who\\\">\\n# <UDF name=\\\"size\\\" label=\\\"How big\\\" default=\\\"small\\\">\\n";

#[test]
fn a_stackscript_is_kept_and_deployed_with_its_answers() {
    let cloud = Cloud::new();
    cloud.check(
        &format!("POST /v4/linode/stackscripts\n{{\"label\":\"setup\",\"images\":[\"linode/debian12\"],\"script\":\"{SCRIPT}\"}}"),
        &expect![[r##"
            200 {
              "created": "2026-01-31T12:00:00",
              "deployments_active": 0,
              "deployments_total": 0,
              "description": "",
              "id": 1001,
              "images": [
                "linode/debian12"
              ],
              "is_public": false,
              "label": "setup",
              "logo_url": "",
              "mine": true,
              "ordinal": 0,
              "rev_note": "",
              "script": "#!/bin/bash\n# <UDF name=\"user\" label=\"Who\">\n# <UDF name=\"size\" label=\"How big\" default=\"small\">\n",
              "updated": "2026-01-31T12:00:00",
              "user_defined_fields": [
                {
                  "label": "Who",
                  "name": "user"
                },
                {
                  "default": "small",
                  "label": "How big",
                  "name": "size"
                }
              ],
              "user_gravatar_id": "",
              "username": "sandbox"
            }"##]],
    );
    let deploy = |image: &str, data: &str| {
        format!(
            r#"POST /v4/linode/instances
            {{"region":"us-east","type":"g6-nanode-1","image":"{image}","root_pass":"Str0ng-enough","stackscript_id":1001,
              "stackscript_data":{data}}}"#
        )
    };
    cloud.refused(
        &deploy("linode/debian12", "{}"),
        &expect![[r#"
        400
        stackscript_data: user is required"#]],
    );
    cloud.refused(
        &deploy("linode/arch", "{\"user\":\"me\"}"),
        &expect![[r#"
        400
        image: The image is not among those of the StackScript"#]],
    );
    cloud.get(&deploy("linode/debian12", "{\"user\":\"me\"}"));
    cloud.pass(1.0);
    let spec = cloud.machines.specs.lock().unwrap()[0].clone();
    expect![[r#"{"size": "small", "user": "me"}"#]].assert_eq(&format!("{:?}", spec.stackscript.unwrap().data));
    let updated = cloud.get("PUT /v4/linode/stackscripts/1001\n{\"rev_note\":\"second\",\"images\":[\"any/all\"]}");
    assert_eq!((updated["rev_note"].as_str(), updated["deployments_total"].as_u64()), (Some("second"), Some(1)));
    cloud.get("DELETE /v4/linode/stackscripts/1001");
    assert_eq!(cloud.ask("GET /v4/linode/stackscripts/1001").status, 404);
    cloud.refused(
        "POST /v4/linode/stackscripts\n{\"script\":\"echo\",\"images\":[\"x/y\"]}",
        &expect![[r#"
        400
        label: label is required
        script: Must begin with a shebang
        images[0]: image is not valid"#]],
    );
}

#[test]
fn keys_of_the_profile_can_be_deployed() {
    let cloud = Cloud::new();
    cloud.refused(
        "POST /v4/profile/sshkeys\n{\"label\":\"laptop\",\"ssh_key\":\"nonsense\"}",
        &expect![[r#"
        400
        ssh_key: Not a valid public key"#]],
    );
    cloud.check(
        "POST /v4/profile/sshkeys\n{\"label\":\"laptop\",\"ssh_key\":\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBg me\"}",
        &expect![[r#"
            200 {
              "created": "2026-01-31T12:00:00",
              "id": 1001,
              "label": "laptop",
              "ssh_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBg me"
            }"#]],
    );
    cloud.get(
        r#"POST /v4/linode/instances
        {"region":"us-east","type":"g6-nanode-1","image":"linode/debian12","authorized_users":["sandbox"]}"#,
    );
    cloud.pass(1.0);
    assert_eq!(cloud.machines.specs.lock().unwrap()[0].authorized_keys, ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBg me"]);
    cloud.get("DELETE /v4/profile/sshkeys/1001");
    assert_eq!(cloud.get("GET /v4/profile/sshkeys")["results"], 0);
}
