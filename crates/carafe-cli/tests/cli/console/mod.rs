//! `carafe console` over HTTP.

mod million;
mod pages;
mod security;
mod stores;
