//! The one converter of errors.

use js_sys::Reflect;
use wasm_bindgen::JsValue;

use ocelli::Error;

/// What a handle's method returns: a thrown value is always a JavaScript `Error` with a `code`.
pub(super) type JsResult<T> = Result<T, JsValue>;

/// `error` as a JavaScript `Error`: its sentence as `message`, its code as `code`, and the lower-level
/// causes joined as `detail` for bug reports.
pub(super) fn to_js(error: Error) -> JsValue {
    let js = JsValue::from(js_sys::Error::new(&error.to_string()));
    let mut detail = String::new();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        if !detail.is_empty() {
            detail.push_str(": ");
        }
        detail.push_str(&inner.to_string());
        cause = inner.source();
    }
    set(&js, "code", error.code());
    if !detail.is_empty() {
        set(&js, "detail", &detail);
    }
    js
}

/// Sets a property of an `Error` just made. That cannot fail: the object is ours and extensible.
fn set(object: &JsValue, key: &str, value: &str) {
    let done = Reflect::set(object, &JsValue::from_str(key), &JsValue::from_str(value));
    debug_assert!(done.is_ok());
}
