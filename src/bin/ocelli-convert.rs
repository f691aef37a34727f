//! Writes a model's weights in a smaller form: `ocelli-convert model.safetensors --dtype q8 -o model.gguf`, or a whole folder of a
//! model: `ocelli-convert clip-vit-base-patch32/ --dtype q8 -o small/`.
//!
//! Reads whatever the browser reads, and writes GGUF or, for `int8`, safetensors, which the browser streams like any other
//! files.

use std::fs::File;
use std::io::{BufWriter, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lexopt::prelude::{Long, Short, Value, ValueExt};
use ocelli::convert::{Converted, Converter, Form, ModelFolder};

const HELP: &str = "\
Writes a model's weights in a smaller form, as GGUF or safetensors.

Usage: ocelli-convert WEIGHTS --dtype int8|q8|q4|f16|f32 -o OUT
       ocelli-convert FOLDER --dtype int8|q8|q4|f16|f32 -o OUT

WEIGHTS   model.safetensors, pytorch_model.bin, a GGUF or an ONNX file
FOLDER    a model as the hub has it, with config.json; weights may be in several
          files. OUT is then a folder, too: it gets the converted weights and a
          copy of the files that a model is read by
--dtype   how matrices are stored: in 8.5 (q8), 4.5 (q4), 16 or 32 bits a number;
          everything else stays f32. The browser computes with q8 and q4 as int8.
          int8 has 8 bits a number and a scale for each row, whatever the rows'
          length, for what the browser computes with in int8 and for large
          convolutions; everything else is f16, or f32 where f16 would lose too
          much. It is written as safetensors: model.safetensors
-o        what is to be written, such as model.gguf
";

/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;

type Failure = Box<dyn std::error::Error>;

/// What the command line asks for.
struct Args {
    weights: PathBuf,
    form: Form,
    out: PathBuf,
}

fn main() -> ExitCode {
    let done = match read_arguments() {
        Ok(Some(args)) => convert(&args),
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
fn read_arguments() -> Result<Option<Args>, Failure> {
    let (mut weights, mut form, mut out) = (None, None, None);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("dtype") => {
                let name = parser.value()?.string()?;
                form = Some(Form::named(&name)?);
            }
            Short('o') | Long("out") => out = Some(parser.value()?.into()),
            Short('h') | Long("help") => return Ok(None),
            Value(path) if weights.is_none() => weights = Some(path.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    match (weights, form, out) {
        (Some(weights), Some(form), Some(out)) => Ok(Some(Args { weights, form, out })),
        _ => Err(format!("The weights, --dtype and -o are needed.\n\n{HELP}").into()),
    }
}

fn convert(Args { weights, form, out }: &Args) -> Result<(), Failure> {
    if weights.is_dir() {
        return convert_folder(weights, *form, out);
    }
    convert_weights(std::slice::from_ref(weights), *form, out)
}

/// Converts a model's weights, and copies what is beside them.
fn convert_folder(folder: &Path, form: Form, out: &Path) -> Result<(), Failure> {
    let ModelFolder { weights, beside } = ModelFolder::find(folder)?;
    let unwritable = |error| format!("{} cannot be written: {error}.", out.display());
    std::fs::create_dir_all(out).map_err(unwritable)?;
    if std::fs::canonicalize(folder)? == std::fs::canonicalize(out)? {
        return Err("The folder to be written must be another than that of the model.".into());
    }
    convert_weights(&weights, form, &out.join(form.file_name()))?;
    for path in beside {
        let copy = out.join(path.file_name().unwrap_or_default());
        std::fs::copy(&path, &copy).map_err(unwritable)?;
    }
    println!(
        "Put {} on any web server that lets your pages read it, and load it by its address.",
        out.display()
    );
    Ok(())
}

/// Converts weights, which may be in several files.
fn convert_weights(paths: &[PathBuf], form: Form, out: &Path) -> Result<(), Failure> {
    let mut progress = Progress::of(paths);
    let mut converter = Converter::new(form);
    let mut chunk = vec![0; CHUNK];
    for (i, path) in paths.iter().enumerate() {
        let unreadable = |error| format!("{} cannot be read: {error}.", path.display());
        let mut file = File::open(path).map_err(unreadable)?;
        if i > 0 {
            converter.next_file()?;
        }
        loop {
            let count = file.read(&mut chunk).map_err(unreadable)?;
            if count == 0 {
                break;
            }
            converter.push(&chunk[..count])?;
            progress.add(count);
        }
    }
    progress.end();
    let tensors = write_whole(out, &converter.finish()?)?;
    let bytes = std::fs::metadata(out)?.len() as f64;
    println!("{}: {tensors} tensors, {:.1} MB", out.display(), bytes / 1e6);
    Ok(())
}

/// How much has been read, on a terminal.
struct Progress {
    total: u64,
    read: u64,
    shown: u64,
}

impl Progress {
    fn of(paths: &[PathBuf]) -> Self {
        let length = |path: &PathBuf| std::fs::metadata(path).map_or(0, |about| about.len());
        let total = if std::io::stderr().is_terminal() { paths.iter().map(length).sum() } else { 0 };
        Self { total, read: 0, shown: 0 }
    }

    fn add(&mut self, bytes: usize) {
        self.read += bytes as u64;
        let percent = (100 * self.read).checked_div(self.total).unwrap_or(0);
        if percent > self.shown {
            self.shown = percent;
            eprint!("\rReading: {percent} %");
        }
    }

    fn end(&self) {
        if self.shown > 0 {
            eprint!("\r              \r");
        }
    }
}

/// Writes a file under another name until it is whole.
fn write_whole(out: &Path, converted: &Converted) -> Result<usize, Failure> {
    let part = with_suffix(out, ".part");
    let shown = part.display();
    let file = File::create(&part).map_err(|error| format!("{shown} cannot be written: {error}."))?;
    let mut file = BufWriter::new(file);
    let written = converted.write(&mut file).map_err(Failure::from).and_then(|tensors| {
        file.into_inner().map_err(|error| error.into_error())?.sync_all()?;
        std::fs::rename(&part, out)?;
        Ok(tensors)
    });
    written.map_err(|error| {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(&part);
        format!("{} cannot be written: {error}", out.display()).into()
    })
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
