//! StackScripts of the account. The list of API v4 also holds thousands of other people's public ones.

use crate::api::{Api, Noun, class, done, number, one};
use crate::body::Body;
use crate::filter::Filter;
use crate::lenient::{Flag, List as Items, Text};
use crate::list::List;
use linodetool_plugin::{
    ById, CreateStackScript, Cx, ListStackScripts, Nothing, Page, Result, StackScript, UpdateStackScript,
};
use serde::{Deserialize, Serialize};

/// `mine` is filterable (Linode API v4 docs); checked again all the same, since a filter that is ignored would bring strangers' scripts.
pub(crate) async fn list(api: &Api, cx: &Cx, args: ListStackScripts) -> Result<Page<StackScript>> {
    let filter = Filter::default().equals("mine", Some(true)).equals("label", args.label.clone());
    let list = List::of(api, "/linode/stackscripts").filter(filter).class(class::STACKSCRIPTS);
    let scripts: Vec<Owned> = list.read(cx).await?;
    let own = scripts.into_iter().filter(|owned| owned.mine).map(|owned| owned.script);
    Ok(Page::whole(own.filter(|script| args.label.as_ref().is_none_or(|label| *label == script.label)).collect()))
}

#[derive(Serialize)]
struct CreateBody<'a> {
    label: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    images: &'a [String],
    script: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    rev_note: &'a str,
    is_public: bool,
}

/// Never public: a public one can never be made private again.
pub(crate) async fn create(api: &Api, cx: &Cx, args: CreateStackScript) -> Result<StackScript> {
    let body = CreateBody {
        label: &args.label,
        description: &args.description,
        images: &args.images,
        script: &args.script,
        rev_note: &args.revision_note,
        is_public: false,
    };
    let owned: Owned = one(cx, api.post("/linode/stackscripts").json(&body)?).await?;
    Ok(owned.script)
}

/// Nothing to change is a read.
pub(crate) async fn update(api: &Api, cx: &Cx, args: UpdateStackScript) -> Result<StackScript> {
    let path = path(&args.id)?;
    let body = Body::new()
        .some("label", args.label)
        .some("description", args.description)
        .some("images", args.images)
        .some("script", args.script)
        .some("rev_note", args.revision_note);
    let request = if body.is_empty() { api.get(&path) } else { api.put(&path).json(&body)? };
    Ok(one::<Owned>(cx, request).await?.script)
}

pub(crate) async fn delete(api: &Api, cx: &Cx, args: ById) -> Result<Nothing> {
    done(cx, api.delete(&path(&args.id)?)).await
}

fn path(id: &str) -> Result<String> {
    Ok(format!("/linode/stackscripts/{}", number("id", id)?))
}

/// A script, and whether it is the account's.
pub(crate) struct Owned {
    script: StackScript,
    mine: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct StackScriptWire {
    id: Text,
    label: Text,
    description: Text,
    images: Items<Text>,
    script: Text,
    is_public: Flag,
    mine: Flag,
    rev_note: Text,
}

impl Noun for Owned {
    type Wire = StackScriptWire;

    fn from_wire(wire: StackScriptWire) -> Self {
        let script = StackScript {
            id: wire.id.0,
            label: wire.label.0,
            description: wire.description.0,
            images: wire.images.texts(),
            script: wire.script.0,
            public: wire.is_public.0,
            revision_note: wire.rev_note.0,
        };
        Self { script, mine: wire.mine.0 }
    }

    fn id(&self) -> &str {
        &self.script.id
    }
}
