//! User data and StackScripts.

use super::Case;
use super::support::place;
use expect_test::expect;
use linodetool_sandbox::machines::{Machines, StackScript};

pub(crate) const CASES: &[Case] = &[
    ("first_boot::cloud_config", cloud_config),
    ("first_boot::a_given_host_key", given_host_key),
    ("first_boot::a_script_as_user_data", script),
    ("first_boot::what_is_not_understood_is_an_error_of_cloud_init", not_understood),
    ("first_boot::a_stackscript_with_its_answers", stackscript),
    ("first_boot::happens_once", once),
];

fn cloud_config() {
    let mut spec = place().spec();
    let key = std::mem::take(&mut spec.authorized_keys).remove(0);
    spec.user_data = Some(
        format!(
            "#cloud-config\nhostname: web-1\nssh_authorized_keys:\n  - {key}\nusers:\n  - default\n  - name: deploy\n    groups: [ops, sudo]\n    \
             shell: /bin/sh\n    ssh_authorized_keys: ['{key}']\nwrite_files:\n  - path: /etc/app/conf\n    content: aGVsbG8K\n    encoding: b64\n    \
             permissions: '0640'\n    owner: deploy:ops\nruncmd:\n  - echo $(whoami) > /root/ran; echo to the log\n  - [touch, /root/two words]\n  - 'false'\n"
        )
        .into_bytes(),
    );
    let m = place().boot(spec);
    // Before the commands: what SSH needs is there at once.
    assert_eq!(
        m.run_as("deploy", "id -un; echo $HOME $SHELL; id -Gn").out,
        "deploy\n/home/deploy /bin/sh\ndeploy sudo ops\n"
    );
    let seen = m.out("cloud-init status --wait; hostname; stat -c '%a %U:%G' /etc/app/conf; cat /etc/app/conf; ls -a /root | sort; cat /root/ran; cat /var/log/cloud-init-output.log; grep -c web-1 /etc/hosts");
    expect![[r#"
        status: error
        web-1
        640 deploy:ops
        hello
        .
        ..
        .bashrc
        .profile
        .ssh
        ran
        two words
        root
        to the log
        1
    "#]]
    .assert_eq(&seen);
}

fn given_host_key() {
    use russh::keys::{PrivateKey, ssh_key};
    let key = PrivateKey::from(ssh_key::private::Ed25519Keypair::from_seed(&[7; 32]));
    let (private, public) =
        (key.to_openssh(ssh_key::LineEnding::LF).expect("a key"), key.public_key().to_openssh().expect("a key"));
    let mut spec = place().spec();
    let indented = private.lines().fold(String::new(), |s, l| s + "    " + l + "\n");
    spec.user_data = Some(format!("#cloud-config\nssh_deletekeys: true\nssh_keys:\n  ed25519_private: |\n{indented}  ed25519_public: {public}\n").into_bytes());
    let m = place().boot(spec);
    assert_eq!(
        m.out("cat /etc/ssh/ssh_host_ed25519_key.pub; stat -c %a /etc/ssh/ssh_host_ed25519_key"),
        format!("{public}\n600\n")
    );
    assert_eq!(m.out("cat /etc/ssh/ssh_host_ed25519_key"), private.to_string());
}

fn script() {
    let mut spec = place().spec();
    spec.user_data = Some(b"#!/bin/bash\necho \"${BASH_VERSION:+bash} $PWD\"; exit 4\n".to_vec());
    let m = place().boot(spec);
    let ran = m.run("cloud-init status --wait --long; cat /var/log/cloud-init-output.log");
    expect![[r#"
        status: error
        errors:
        - /var/lib/cloud/instance/part-001 ended with code 4
        bash /
    "#]]
    .assert_eq(&ran.out);
}

fn not_understood() {
    let mut spec = place().spec();
    spec.user_data = Some(b"\x1f\x8b\xff".to_vec());
    let m = place().boot(spec);
    expect![[r#"
        status: error
        errors:
        - user data is neither text nor a script
        1
    "#]]
    .assert_eq(&m.run("cloud-init status --wait --long; echo $?").out);
}

fn stackscript() {
    let mut spec = place().spec();
    let script = "#!/bin/bash\n# <UDF name=\"db\" label=\"Database\">\necho \"db=$DB ${db} id=$LINODE_ID ram=$LINODE_RAM\"; echo err >&2\n[[ -n $BASH_VERSION ]] && touch /root/done\n";
    spec.stackscript = Some(StackScript {
        script: script.to_owned(),
        data: [("db".to_owned(), "my sql".to_owned()), ("DB".to_owned(), "x".to_owned())].into(),
    });
    let m = place().boot(spec);
    m.wait("test -e /root/done");
    assert_eq!(
        m.out("cat /root/StackScript.log; stat -c %a /root/StackScript"),
        format!("db=x my sql id={} ram=2048\nerr\n700\n", m.spec.id)
    );
}

fn once() {
    let mut spec = place().spec();
    spec.user_data = Some(b"#cloud-config\nhostname: first\nruncmd: ['echo x >> /root/count']\n".to_vec());
    let m = place().boot(spec);
    m.out("cloud-init status --wait; hostname later; echo later > /etc/hostname; echo 192.168.128.77 friend >> /etc/hosts");
    place().room.power_off(m.spec.id).expect("off");
    place().room.boot(&m.spec).expect("boots again");
    assert_eq!(m.out("cloud-init status --wait; cat /root/count; hostname; grep -c friend /etc/hosts; wc -l < /root/.ssh/authorized_keys"), "status: done\nx\nlater\n1\n1\n");
}
