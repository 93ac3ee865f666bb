//! "What the server sees": the table of keys and values, and the forms that change them.

use maud::{Markup, html};

use super::json;
use crate::panel::{Panel, Row};

pub(super) fn dictionary(panel: &Panel<'_>) -> Markup {
    html! {
        @if panel.rows.is_empty() { (empty(panel)) } @else { (data_table(panel)) }
        (set_form(panel))
        (session_actions(panel))
    }
}

fn empty(panel: &Panel<'_>) -> Markup {
    html! {
        p.nothing {
            strong { "An empty session." }
            @if panel.is_rejected {
                " The handler ran as for a visitor without a cookie."
            } @else {
                " No key, no value, and nothing stored anywhere."
            }
        }
    }
}

fn data_table(panel: &Panel<'_>) -> Markup {
    html! {
        table.data-table {
            thead {
                tr {
                    th scope="col" { "Key" }
                    th scope="col" { "Value" }
                    th scope="col" { span.visually-hidden { "Action" } }
                }
            }
            tbody { @for row in &panel.rows { (data_row(panel, row)) } }
        }
    }
}

fn data_row(panel: &Panel<'_>, row: &Row) -> Markup {
    html! {
        tr {
            td { code.data-key { (row.key) } }
            td { code { (json::exact(&row.text)) } " " span.data-type { (row.kind) } }
            td {
                form method="post" action={ "/" (panel.mode.id.as_str()) "/remove" } {
                    input type="hidden" name="key" value=(row.key);
                    button.button.button-quiet { "Remove" span.visually-hidden { " " (row.key) } }
                }
            }
        }
    }
}

fn set_form(panel: &Panel<'_>) -> Markup {
    let id = panel.mode.id.as_str();
    html! {
        form.set-form method="post" action={ "/" (id) "/set#" (id) } {
            div.field {
                label for={ (id) "-key" } { "Key" }
                input.input.code-input id={ (id) "-key" } name="key" value=(panel.typed.key) placeholder="visits"
                    required autocomplete="off" autocapitalize="none" spellcheck="false";
            }
            div.field {
                label for={ (id) "-value" } { "Value" }
                input.input.code-input id={ (id) "-value" } name="value" value=(panel.typed.value) placeholder="4"
                    autocomplete="off" autocapitalize="none" spellcheck="false"
                    aria-invalid=[panel.typed.is_invalid.then_some("true")]
                    aria-describedby=[panel.typed.is_invalid.then(|| format!("{id}-problem"))];
            }
            fieldset.field {
                legend.visually-hidden { "The value is" }
                div.choice {
                    label { input type="radio" name="as" value="json" checked[!panel.typed.as_text]; span { "JSON" } }
                    label { input type="radio" name="as" value="text" checked[panel.typed.as_text]; span { "Text" } }
                }
            }
            button.button.button-primary { "Set" }
        }
    }
}

fn session_actions(panel: &Panel<'_>) -> Markup {
    let id = panel.mode.id.as_str();
    let is_empty = panel.rows.is_empty();
    html! {
        div.button-row {
            form method="post" action={ "/" (id) "/permanent" } {
                input type="hidden" name="permanent" value=(!panel.is_permanent);
                button.button disabled[is_empty] {
                    @if panel.is_permanent { "Browser session only" } @else { "Make permanent" }
                }
            }
            form method="post" action={ "/" (id) "/clear" } {
                button.button.button-danger disabled[is_empty] { "Clear" }
            }
        }
    }
}
