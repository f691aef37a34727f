//! Names that a pickle calls: those that tensors are made by, and those that no honest file has.

use super::super::plan::{Encoding, invalid, shorten};
use super::pickle::Value;
use crate::Result;

/// What a pickle may call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Global {
    Dictionary,
    /// `_rebuild_tensor_v2`
    Tensor,
    /// `_rebuild_parameter`
    Parameter,
    /// `_rebuild_from_type_v2`: calls another for it.
    Typed,
    Storage(Encoding),
}

/// Modules whose names do something to the machine: none is in a file that only holds weights.
const HOSTILE: [&str; 17] = [
    "os",
    "posix",
    "nt",
    "subprocess",
    "sys",
    "shutil",
    "socket",
    "runpy",
    "pty",
    "pickle",
    "importlib",
    "ctypes",
    "webbrowser",
    "code",
    "pdb",
    "asyncio",
    "requests",
];
/// The same of what is built in.
const HOSTILE_BUILT_IN: [&str; 8] =
    ["eval", "exec", "compile", "getattr", "setattr", "open", "__import__", "breakpoint"];

/// What each of the known names means.
pub(super) fn global(module: &str, name: &str) -> Result<Value> {
    Ok(Value::Global(match (module, name) {
        ("collections", "OrderedDict" | "defaultdict") => Global::Dictionary,
        ("torch._utils", "_rebuild_tensor_v2") => Global::Tensor,
        ("torch._tensor", "_rebuild_from_type_v2") => Global::Typed,
        ("torch._utils", "_rebuild_parameter") => Global::Parameter,
        ("torch", "FloatStorage") => Global::Storage(Encoding::F32),
        ("torch", "HalfStorage") => Global::Storage(Encoding::F16),
        ("torch", "BFloat16Storage") => Global::Storage(Encoding::Bf16),
        ("torch", "DoubleStorage") => Global::Storage(Encoding::F64),
        ("torch", "LongStorage") => Global::Storage(Encoding::Other("I64", 8)),
        ("torch", "IntStorage") => Global::Storage(Encoding::Other("I32", 4)),
        ("torch", "ShortStorage") => Global::Storage(Encoding::Other("I16", 2)),
        ("torch", "CharStorage") => Global::Storage(Encoding::Other("I8", 1)),
        ("torch", "ByteStorage") => Global::Storage(Encoding::Other("U8", 1)),
        ("torch", "BoolStorage") => Global::Storage(Encoding::Other("BOOL", 1)),
        _ => {
            let outermost = module.split('.').next().unwrap_or(module);
            let built_in =
                matches!(outermost, "builtins" | "__builtin__") && HOSTILE_BUILT_IN.contains(&name);
            if built_in || HOSTILE.contains(&outermost) {
                let called = shorten(&format!("{module}.{name}"));
                return Err(invalid(format!(
                    "The PyTorch file wants to use {called}, which no weights need: do not trust it."
                )));
            }
            return Ok(Value::Other);
        }
    }))
}
