//! The files of `assets/`, which are in the binary: a function that reads no file can't be made to read another.

macro_rules! assets {
    ($($name:literal)*) => { &[$(($name, include_str!(concat!("../assets/", $name)))),*] };
}

/// Name and content of each.
pub const ASSETS: &[(&str, &str)] = assets! {
    "actions.js"
    "api.js"
    "app.js"
    "badges.js"
    "chart.js"
    "dialog.js"
    "dom.js"
    "form.js"
    "format.js"
    "help.js"
    "icon.svg"
    "index.html"
    "limits.js"
    "loading.js"
    "notices.js"
    "pages.js"
    "policy.js"
    "router.js"
    "secret.js"
    "session.js"
    "sources.js"
    "style.css"
    "table.js"
    "theme.js"
    "views/advice.js"
    "views/attempts.js"
    "views/changes.js"
    "views/check.js"
    "views/key.js"
    "views/keys.js"
    "views/order.js"
    "views/overview.js"
    "views/owner.js"
    "views/plans.js"
    "views/signin.js"
    "views/usage.js"
};
