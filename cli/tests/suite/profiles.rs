//! Profiles: a key goes in by standard input, and comes out only towards its server.

use crate::{api::Api, mbk::Mbk};

#[test]
fn a_profile_keeps_a_key_and_uses_it_for_its_server_alone() {
    let api = Api::start();
    let mbk = Mbk::without_environment();
    mbk.knows(&api.admin);
    let missing = mbk.run(&["list"]);
    assert!(missing.code == 2 && missing.err.contains("mbk profile add"), "{missing:?}");

    let add = ["profile", "add", "local", "--url", &api.url];
    let wrong = mbk.run_with(&add, "mbk_live_0123456789abcdefghijklmnopqrstuv\n");
    assert!(wrong.code == 1 && wrong.err.contains("Nothing was kept") && !mbk.config().exists(), "{wrong:?}");
    assert_eq!(mbk.run_with(&add, "\n").code, 2);
    let added = mbk.run_with(&add, &format!("{}\n", api.admin));
    assert!(added.code == 0 && added.err.contains("local admin of user:admin"), "{added:?}");
    assert_eq!(mbk.run_with(&add, &api.admin).code, 2, "there is one of that name");
    assert!(mbk.json(&["list"])["keys"].is_array());

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&mbk.config()), 0o600);
        assert_eq!(mode(mbk.config().parent().unwrap()), 0o700);
        std::fs::set_permissions(mbk.config(), std::fs::Permissions::from_mode(0o644)).unwrap();
        let readable = mbk.run(&["list"]);
        assert!(readable.code == 2 && readable.err.contains("chmod 600"), "{readable:?}");
        std::fs::set_permissions(mbk.config(), std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    // Another server doesn't get it.
    let elsewhere = mbk.run(&["list", "--url", "https://api.example.com"]);
    assert!(elsewhere.code == 2 && elsewhere.err.contains("and not for https://api.example.com"), "{elsewhere:?}");

    // A second one, in and out of use.
    let second = ["profile", "add", "other", "--url", "http://127.0.0.1:9", "--unchecked"];
    assert_eq!(mbk.run_with(&second, "k-0123456789").code, 0);
    assert_eq!(mbk.run(&["list"]).code, 3, "the newest profile is in use");
    assert_eq!(mbk.run(&["list", "--profile", "local"]).code, 0);
    assert_eq!(mbk.run(&["profile", "use", "local"]).code, 0);
    let profiles = mbk.json(&["profile", "list"]);
    assert_eq!(profiles["profiles"][0]["current"], true);
    assert!(mbk.run(&["profile", "list", "--table"]).out.contains("127.0.0.1:9"));
    assert_eq!(mbk.run(&["profile", "remove", "other"]).code, 2);
    assert_eq!(mbk.run(&["profile", "remove", "other", "--yes"]).code, 0);
    let unknown = mbk.run(&["profile", "use", "other"]);
    assert!(unknown.code == 2 && unknown.err.contains("There are: local."), "{unknown:?}");

    mbk.assert_silent();
}

#[test]
fn a_profile_renews_its_own_key_without_showing_it() {
    let api = Api::start();
    let admin = Mbk::new(&api.url, &api.admin);
    let order = ["issue", "--name", "p", "--owner", "user:p", "--env", "live", "--scope", "read", "--scope", "self:rotate"];
    let (_, secret) = admin.handed_out(&order);
    let mbk = Mbk::without_environment();
    mbk.knows(&secret);
    assert_eq!(mbk.run_with(&["profile", "add", "p", "--url", &api.url], &secret).code, 0);
    let before = std::fs::read_to_string(mbk.config()).unwrap();
    let rotated = mbk.json(&["self", "rotate", "--save"]);
    assert!(rotated.get("secret").is_none() && rotated["generation"] == 2, "{rotated}");
    let after = std::fs::read_to_string(mbk.config()).unwrap();
    assert_ne!(before, after);
    assert_eq!(mbk.json(&["self"])["presented"]["newest"], true);
    let key = after.lines().find_map(|line| line.strip_prefix("key = ")).unwrap().trim_matches('"').to_owned();
    mbk.knows(&key);
    mbk.assert_silent();
}
