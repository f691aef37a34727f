//! Handles for JavaScript.
