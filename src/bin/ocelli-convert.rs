//! Writes a model's weights in a smaller form: `ocelli-convert model.safetensors --dtype q8 -o model.gguf`.
//!
//! Reads whatever the browser reads, and writes GGUF or, for `int8`, safetensors, which the browser streams like any other
//! files.

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
Writes a model's weights in a smaller form, as GGUF or safetensors.

Usage: ocelli-convert WEIGHTS --dtype int8|q8|q4|f16|f32 -o OUT

WEIGHTS   model.safetensors, pytorch_model.bin or a GGUF file
--dtype   how matrices are stored: in 8.5 (q8), 4.5 (q4), 16 or 32 bits a number;
          everything else stays f32. The browser computes with q8 and q4 as int8.
          int8 has 8 bits a number and a scale for each row, whatever the rows'
          length, for what the browser computes with in int8 and for large
          convolutions; everything else is f16, or f32 where f16 would lose too
          much. It is written as safetensors: model.safetensors
-o        the file to be written, such as model.gguf
";

/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;

type Failure = Box<dyn std::error::Error>;

/// What the command line asks for.
struct Wish {
    weights: PathBuf,
    form: Form,
    out: PathBuf,
}

/// How the weights are to be stored.
#[derive(Clone, Copy)]
enum Form {
    /// As GGUF, with matrices of this type.
    Gguf(GgmlDType),
    /// As safetensors, with matrices of signed bytes.
    Int8,
}

fn main() -> ExitCode {
    let done = match read_arguments() {
        Ok(Some(wish)) => match wish.form {
            Form::Gguf(dtype) => convert(&wish, dtype),
            Form::Int8 => int8::convert(&wish.weights, &wish.out),
        },
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
    let (mut weights, mut form, mut out) = (None, None, None);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("dtype") => {
                let name = parser.value()?.string()?;
                form = Some(read_form(&name).ok_or_else(|| {
                    format!("--dtype is {name:?}; it must be \"int8\", \"q8\", \"q4\", \"f16\" or \"f32\".")
                })?);
            }
            Short('o') | Long("out") => out = Some(parser.value()?.into()),
            Short('h') | Long("help") => return Ok(None),
            Value(path) if weights.is_none() => weights = Some(path.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    match (weights, form, out) {
        (Some(weights), Some(form), Some(out)) => Ok(Some(Wish { weights, form, out })),
        _ => Err(format!("The weights, --dtype and -o are needed.\n\n{HELP}").into()),
    }
}

fn read_form(name: &str) -> Option<Form> {
    Some(Form::Gguf(match name {
        "q8" => GgmlDType::Q8_0,
        "q4" => GgmlDType::Q4_0,
        "f16" => GgmlDType::F16,
        "f32" => GgmlDType::F32,
        "int8" => return Some(Form::Int8),
        _ => return None,
    }))
}

fn convert(wish: &Wish, dtype: GgmlDType) -> Result<(), Failure> {
    let mut tensors = HashMap::new();
    read(&wish.weights, |name, tensor| {
        tensors.insert(name.to_owned(), shrink(name, tensor, dtype)?);
        Ok(())
    })?;
    let mut names: Vec<&String> = tensors.keys().collect();
    names.sort();
    let sorted: Vec<(&str, &QTensor)> = names.iter().map(|&name| (name.as_str(), &tensors[name])).collect();
    write_whole(&wish.out, |file| Ok(gguf_file::write(file, &[], &sorted)?))?;
    tell(&wish.out, sorted.len())
}

/// Writes a file under another name until it is whole.
fn write_whole(
    out: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let part = with_suffix(out, ".part");
    let shown = part.display();
    let file = File::create(&part).map_err(|error| format!("{shown} cannot be written: {error}."))?;
    let mut file = BufWriter::new(file);
    let written = write(&mut file)
        .and_then(|()| Ok(file.into_inner().map_err(|error| error.into_error())?.sync_all()?))
        .and_then(|()| Ok(std::fs::rename(&part, out)?));
    written.map_err(|error| {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(&part);
        format!("{} cannot be written: {error}.", out.display()).into()
    })
}

/// Says what was written.
fn tell(out: &Path, tensors: usize) -> Result<(), Failure> {
    let bytes = std::fs::metadata(out)?.len() as f64;
    println!("{}: {tensors} tensors, {:.1} MB", out.display(), bytes / 1e6);
    Ok(())
}

/// Hands on every tensor as soon as it is complete.
fn read(path: &Path, mut take: impl FnMut(&str, &Tensor) -> Result<(), Failure>) -> Result<(), Failure> {
    let unreadable = |error| format!("{} cannot be read: {error}.", path.display());
    let mut file = File::open(path).map_err(unreadable)?;
    let mut loader = WeightsLoader::new(Dtype::F32);
    let mut take_all =
        |more: Vec<(String, Tensor)>| more.iter().try_for_each(|(name, tensor)| take(name, tensor));
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = file.read(&mut chunk).map_err(unreadable)?;
        if count == 0 {
            break;
        }
        loader.push(&chunk[..count])?;
        take_all(loader.take_finished().into_tensors()?)?;
    }
    take_all(loader.finish()?.into_tensors()?)
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

/// Safetensors of signed bytes with a scale for each row: the layout of `compressed-tensors` for weights quantised by
/// channel.
mod int8 {
    use std::io::Write;
    use std::path::Path;

    use candle_core::Tensor;
    use half::f16;
    use ocelli::kernels::{Dtype, Matrix};
    use ocelli::weights::is_matrix;
    use serde_json::{Map, Value, json};

    use super::{Failure, read, tell, write_whole};

    /// How many weights a convolution has at least that is stored in bytes, though the browser computes with it in f32: of
    /// smaller ones bytes would save little, and their errors would meet every pixel of the largest maps.
    const LARGE_CONVOLUTION: usize = 1 << 15;

    /// A tensor as it is written.
    struct Entry {
        name: String,
        dtype: &'static str,
        shape: Vec<usize>,
        bytes: Vec<u8>,
    }

    pub(super) fn convert(weights: &Path, out: &Path) -> Result<(), Failure> {
        let mut entries = Vec::new();
        let mut tensors = 0;
        read(weights, |name, tensor| {
            tensors += 1;
            entries.extend(shrink(name, tensor)?);
            Ok(())
        })?;
        // Scales come before the bytes that need them: one order does, as names are.
        entries.sort_by_key(|entry| (entry.dtype == "I8", entry.name.clone()));
        let mut header = Map::new();
        let mut begin = 0;
        for entry in &entries {
            let end = begin + entry.bytes.len();
            let about = json!({ "dtype": entry.dtype, "shape": entry.shape, "data_offsets": [begin, end] });
            header.insert(entry.name.clone(), about);
            begin = end;
        }
        let mut header = Value::Object(header).to_string();
        // The data begin at a multiple of eight bytes.
        header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
        write_whole(out, |file| {
            file.write_all(&(header.len() as u64).to_le_bytes())?;
            file.write_all(header.as_bytes())?;
            Ok(entries.iter().try_for_each(|entry| file.write_all(&entry.bytes))?)
        })?;
        tell(out, tensors)
    }

    /// Whether f16 holds what matters of a tensor to three digits. Weights are added up: there, what is small beside the largest
    /// may be lost. Elsewhere each number counts: variances near zero, temperatures.
    fn fits_f16(shape: &[usize], values: &[f32]) -> bool {
        let holds = |x: f32| (6.2e-5..=65_504.0).contains(&x);
        let largest = values.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
        match shape.len() {
            0 => false,
            1 => values.len() > 1 && values.iter().all(|x| *x == 0.0 || holds(x.abs())),
            _ => largest == 0.0 || holds(largest / 256.0),
        }
    }

    /// A matrix or a large convolution becomes its bytes and their scales, in f32; anything else f16, where that fits it.
    fn shrink(name: &str, tensor: &Tensor) -> Result<Vec<Entry>, Failure> {
        let shape = tensor.dims().to_vec();
        let values = tensor.flatten_all()?.to_vec1::<f32>()?;
        let entry = |name: String, dtype, shape, bytes| Entry { name, dtype, shape, bytes };
        let rows = shape.first().copied().unwrap_or(0);
        let large = matches!(*shape, [_, inputs, _, _] if inputs > 1) && values.len() >= LARGE_CONVOLUTION;
        if !(is_matrix(name, &shape) || large) || rows == 0 {
            return Ok(vec![if fits_f16(&shape, &values) {
                let bytes = values.iter().flat_map(|&x| f16::from_f32(x).to_le_bytes()).collect();
                entry(name.to_owned(), "F16", shape, bytes)
            } else {
                let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
                entry(name.to_owned(), "F32", shape, bytes)
            }]);
        }
        let columns = values.len() / rows;
        let matrix = Matrix::pack(Dtype::Int8, rows, columns, &values)?;
        let (mut scales, mut bytes, mut row) =
            (Vec::new(), Vec::with_capacity(values.len()), vec![0.0; columns]);
        for i in 0..rows {
            matrix.copy_row(i, &mut row);
            let scale = matrix.row_scale(i).filter(|&scale| scale > 0.0).unwrap_or(1.0);
            bytes.extend(row.iter().map(|x| (x / scale).round() as i8 as u8));
            scales.extend(scale.to_le_bytes());
        }
        let scale_name = format!("{name}_scale");
        Ok(vec![entry(scale_name, "F32", vec![rows, 1], scales), entry(name.to_owned(), "I8", shape, bytes)])
    }
}
