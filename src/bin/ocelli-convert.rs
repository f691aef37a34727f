//! Writes a model's weights in a smaller form: `ocelli-convert model.safetensors --dtype q8 -o model.gguf`.
//!
//! Reads whatever the browser reads, and writes GGUF, which the browser streams like any other file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use candle_core::Tensor;
use candle_core::quantized::{GgmlDType, QTensor, gguf_file};
use lexopt::prelude::{Long, Short, Value, ValueExt};
use ocelli::kernels::Dtype;
use ocelli::weights::{WeightsLoader, is_matrix};

const HELP: &str = "\
Writes a model's weights in a smaller form, as GGUF.

Usage: ocelli-convert WEIGHTS --dtype q8|q4|f16|f32 -o OUT

WEIGHTS   model.safetensors, pytorch_model.bin or a GGUF file
--dtype   how matrices are stored: in 8.5 (q8), 4.5 (q4), 16 or 32 bits a number;
          everything else stays f32. The browser computes with q8 and q4 as int8.
-o        the file to be written, such as model.gguf
";

/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;

type Failure = Box<dyn std::error::Error>;

/// What the command line asks for.
struct Wish {
    weights: PathBuf,
    dtype: GgmlDType,
    out: PathBuf,
}

fn main() -> ExitCode {
    let done = match read_arguments() {
        Ok(Some(wish)) => convert(&wish),
        Ok(None) => write!(std::io::stdout(), "{HELP}").map_err(Failure::from),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// None where only help is wanted.
fn read_arguments() -> Result<Option<Wish>, Failure> {
    let (mut weights, mut dtype, mut out) = (None, None, None);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("dtype") => {
                let name = parser.value()?.string()?;
                dtype = Some(read_dtype(&name).ok_or_else(|| {
                    format!("--dtype is {name:?}; it must be \"q8\", \"q4\", \"f16\" or \"f32\".")
                })?);
            }
            Short('o') | Long("out") => out = Some(parser.value()?.into()),
            Short('h') | Long("help") => return Ok(None),
            Value(path) if weights.is_none() => weights = Some(path.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    match (weights, dtype, out) {
        (Some(weights), Some(dtype), Some(out)) => Ok(Some(Wish { weights, dtype, out })),
        _ => Err(format!("The weights, --dtype and -o are needed.\n\n{HELP}").into()),
    }
}

fn read_dtype(name: &str) -> Option<GgmlDType> {
    Some(match name {
        "q8" => GgmlDType::Q8_0,
        "q4" => GgmlDType::Q4_0,
        "f16" => GgmlDType::F16,
        "f32" => GgmlDType::F32,
        _ => return None,
    })
}

fn convert(wish: &Wish) -> Result<(), Failure> {
    let tensors = read(&wish.weights, wish.dtype)?;
    let mut names: Vec<&String> = tensors.keys().collect();
    names.sort();
    let sorted: Vec<(&str, &QTensor)> = names.iter().map(|&name| (name.as_str(), &tensors[name])).collect();
    // Under another name until it is whole.
    let part = with_suffix(&wish.out, ".part");
    let shown = part.display();
    let file = File::create(&part).map_err(|error| format!("{shown} cannot be written: {error}."))?;
    let mut file = BufWriter::new(file);
    let written = gguf_file::write(&mut file, &[], &sorted)
        .map_err(Failure::from)
        .and_then(|()| Ok(file.into_inner().map_err(|error| error.into_error())?.sync_all()?))
        .and_then(|()| Ok(std::fs::rename(&part, &wish.out)?));
    if let Err(error) = written {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(&part);
        return Err(format!("{} cannot be written: {error}.", wish.out.display()).into());
    }
    let bytes = std::fs::metadata(&wish.out)?.len() as f64;
    println!("{}: {} tensors, {:.1} MB", wish.out.display(), sorted.len(), bytes / 1e6);
    Ok(())
}

/// All tensors, each made small as soon as it is complete.
fn read(path: &Path, dtype: GgmlDType) -> Result<HashMap<String, QTensor>, Failure> {
    let unreadable = |error| format!("{} cannot be read: {error}.", path.display());
    let mut file = File::open(path).map_err(unreadable)?;
    let mut loader = WeightsLoader::new(Dtype::F32);
    let mut tensors = HashMap::new();
    let mut take = |more: Vec<(String, Tensor)>| -> Result<(), Failure> {
        for (name, tensor) in more {
            let small = shrink(&name, &tensor, dtype)?;
            tensors.insert(name, small);
        }
        Ok(())
    };
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = file.read(&mut chunk).map_err(unreadable)?;
        if count == 0 {
            break;
        }
        loader.push(&chunk[..count])?;
        take(loader.take_finished().into_tensors()?)?;
    }
    take(loader.finish()?.into_tensors()?)?;
    Ok(tensors)
}

/// `tensor` as it is stored: pointwise convolutions as `(out, in)`; matrices in `dtype`, or in f16 where their rows cannot be cut into its blocks.
fn shrink(name: &str, tensor: &Tensor, dtype: GgmlDType) -> Result<QTensor, Failure> {
    // Blocks run along the last dimension: that of a pointwise convolution must be its inputs.
    let tensor = match *tensor.dims() {
        [outputs, inputs, 1, 1] => &tensor.reshape((outputs, inputs))?,
        _ => tensor,
    };
    let row = tensor.dims().last().copied().unwrap_or(1);
    let dtype = match dtype {
        _ if !is_matrix(name, tensor.dims()) => GgmlDType::F32,
        dtype if row.is_multiple_of(dtype.block_size()) => dtype,
        _ => GgmlDType::F16,
    };
    // candle's tensors of GGUF have at least one dimension.
    let tensor = if tensor.rank() == 0 { &tensor.reshape(1)? } else { tensor };
    Ok(QTensor::quantize(tensor, dtype)?)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
