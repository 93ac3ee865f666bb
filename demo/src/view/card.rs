//! A card under the panels: a title, a sentence, the actions and the state.

use maud::{Markup, html};

use super::icon::{Icon, icon};

/// A card. `id` is the anchor that its forms redirect to.
pub(super) fn card(
    id: &str,
    title: &str,
    about: &Markup,
    doing: &Markup,
    there: &Markup,
) -> Markup {
    html! {
        section aria-labelledby={ (id) "-title" } id=(id) {
            div.section-head {
                h2 id={ (id) "-title" } { (title) }
                p { (about) }
            }
            div.card {
                div.card-doing { (doing) }
                div.card-there role="region" aria-label={ (title) ": now" } { (there) }
            }
        }
    }
}

/// A message inside a card.
pub(super) fn message(kind: &str, role: &str, picture: Icon, text: &Markup) -> Markup {
    html! {
        div class={ "banner banner-" (kind) } role=(role) { (icon(picture)) div { (text) } }
    }
}
