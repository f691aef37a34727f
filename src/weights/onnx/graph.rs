//! What the tensors of a graph are called: nothing in it is computed, but where a tensor goes tells which layer's it is.
//!
//! PyTorch's exporter keeps the names of parameters that a graph uses as they are. The weights of linear layers it transposes
//! first, and calls them `onnx::MatMul_613`; but the node that multiplies with them is called
//! `/vision_model/encoder/layers.0/self_attn/q_proj/MatMul`, after the module that it comes from.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use super::super::plan::{invalid, shorten};
use super::wire::{Value, fields, text};
use crate::Result;

/// What onnxruntime's quantisation adds to the name of a tensor, and to those of what belongs to it.
pub(super) const QUANTIZED: &str = "_quantized";
pub(super) const SCALE: &str = "_scale";
pub(super) const ZERO_POINT: &str = "_zero_point";
/// What it adds to a name when it makes a multiplication of a layer.
const TRANSPOSED: &str = "_Transposed";

/// Nodes that multiply with their second input as it lies, a row for each input.
const PRODUCTS: [&str; 5] =
    ["MatMul", "MatMulInteger", "DynamicQuantizeMatMul", "MatMulIntegerToFloat", "FusedMatMul"];
/// Nodes that hand their first input on, in other numbers.
const PASSING: [&str; 4] = ["DequantizeLinear", "QuantizeLinear", "Cast", "Identity"];

/// Places where a tensor is looked for: equal ones of all layers are some hundred at most.
const MOST_USES: usize = 512;

/// A node of the graph, as far as it matters here.
#[derive(Debug, Default)]
struct Node {
    name: String,
    op: String,
    inputs: Vec<String>,
    outputs: Vec<String>,
    /// Whether a `Gemm` has its second input a row for each output.
    transposed: bool,
    /// Along which dimension a `DequantizeLinear` has its scales.
    axis: Option<i64>,
}

/// A place where a tensor is used.
#[derive(Debug, Clone, Copy)]
struct Use<'a> {
    node: &'a Node,
    input: usize,
}

/// What becomes of a tensor of the graph.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The names that it has in the model, of which there are several where equal tensors were made one.
    pub(super) names: Vec<String>,
    /// It lies a row for each input, where models have a row for each output.
    pub(super) flipped: bool,
    /// The dimension along which there is a scale for each, if there are several.
    pub(super) axis: i64,
    /// It is e to the power of what the model has.
    pub(super) exponential: bool,
}

/// All nodes of a graph.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    /// Where each value is used: places among the nodes, and among the inputs of the node.
    uses: HashMap<String, Vec<(usize, usize)>>,
    /// Values that nodes make: all others are given.
    made: HashSet<String>,
    /// The numbers of the nodes of a kind within a module that are given a tensor, once all nodes are known.
    given: OnceCell<HashMap<(String, String), Vec<usize>>>,
}

impl Graph {
    /// Takes a `NodeProto` of `onnx.proto`.
    pub(super) fn add(&mut self, message: &[u8]) -> Result<()> {
        let mut node = Node::default();
        for field in fields(message) {
            let field = field?;
            match (field.number, field.value) {
                (1, Value::Bytes(input)) => node.inputs.push(text(input)?),
                (2, Value::Bytes(output)) => node.outputs.push(text(output)?),
                (3, Value::Bytes(name)) => node.name = text(name)?,
                (4, Value::Bytes(op)) => node.op = text(op)?,
                (5, Value::Bytes(attribute)) => read_attribute(attribute, &mut node)?,
                _ => {}
            }
        }
        for (i, input) in node.inputs.iter().enumerate() {
            self.uses.entry(input.clone()).or_default().push((self.nodes.len(), i));
        }
        self.made.extend(node.outputs.iter().cloned());
        self.nodes.push(node);
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether a node uses the value `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.uses.contains_key(name)
    }

    /// What becomes of the tensor `name`; nothing, where no layer of a model can be told to have it. `rank` counts its
    /// dimensions.
    pub(super) fn target(&self, name: &str, rank: usize, elements: usize) -> Option<Target> {
        let plain = name.strip_suffix(QUANTIZED).unwrap_or(name);
        let (plain, swapped) = match plain.strip_suffix(TRANSPOSED) {
            Some(plain) => (plain, true),
            None => (plain, false),
        };
        let uses = self.uses(name);
        let mut names = Vec::new();
        let is_own = is_parameter(plain);
        if is_own {
            names.push(plain.to_owned());
        }
        // Folding leaves of the scale what cosines are multiplied with.
        let exponential = !is_own && elements == 1 && uses.iter().any(|place| is_scaling(place.node));
        let computed = value_path(plain).filter(|(path, ..)| !path.is_empty() && rank > 0);
        let computed = computed.map(|(path, ..)| format!("{path}.weight"));
        // A parameter goes by another name, too, where equal ones were made one: to another module, then.
        let elsewhere = |place: &&Use<'_>| {
            let module = module(&place.node.name).map(|(module, ..)| module);
            !is_own || module.is_some_and(|module| !plain.starts_with(&module))
        };
        let derived = uses.iter().filter(elsewhere).filter_map(|place| self.derive(*place, rank));
        for other in computed.into_iter().chain(derived) {
            // What has its name already is not meant by another.
            if !names.contains(&other) && !self.has(&other) {
                names.push(other);
            }
        }
        if names.is_empty() {
            return None;
        }
        let product = uses.iter().any(|place| is_product(*place));
        let made = uses.iter().any(|place| place.node.name.contains("Gemm_MatMul"));
        let axis = uses.iter().find_map(|place| place.node.axis).unwrap_or(i64::from(product));
        let flipped = rank == 2 && product && (!is_own || swapped || made);
        Some(Target { names, flipped, axis, exponential })
    }

    /// The name of a tensor after the node that uses it.
    fn derive(&self, Use { node, input }: Use<'_>, rank: usize) -> Option<String> {
        let (module, kind, number) = module(&node.name)?;
        if module.is_empty() {
            // The model's own parameters, of one number each.
            return match kind {
                "Exp" | "Mul" if rank < 2 => Some("logit_scale".to_owned()),
                "Add" if rank < 2 => Some("logit_bias".to_owned()),
                _ => None,
            };
        }
        let part = match (node.op.as_str(), input) {
            (op, 1) if PRODUCTS.contains(&op) => "weight",
            ("Gemm" | "Conv" | "ConvInteger" | "LayerNormalization", 1) | ("Gather", 0) => "weight",
            ("Gemm" | "Conv" | "LayerNormalization", 2) => "bias",
            ("Mul", _) if rank == 1 => "weight",
            ("Add", _) if rank == 1 => "bias",
            _ => return None,
        };
        Some(match self.before(&module, kind, number) {
            0 => format!("{module}.{part}"),
            place => format!("{module}.{kind}_{place}.{part}"),
        })
    }

    /// How many nodes of the kind `kind` in the same module with lower numbers are given a tensor.
    fn before(&self, wanted: &str, kind: &str, number: usize) -> usize {
        let given = self.given.get_or_init(|| {
            let mut given: HashMap<_, Vec<usize>> = HashMap::new();
            for node in
                self.nodes.iter().filter(|node| node.inputs.iter().any(|input| !self.made.contains(input)))
            {
                if let Some((module, kind, number)) = module(&node.name) {
                    given.entry((module, kind.to_owned())).or_default().push(number);
                }
            }
            given.values_mut().for_each(|numbers| numbers.sort_unstable());
            given
        });
        let numbers = given.get(&(wanted.to_owned(), kind.to_owned()));
        numbers.map_or(0, |numbers| numbers.partition_point(|&other| other < number))
    }

    /// Refuses the weights `name` where they belong to a node that fuses several layers, or has a form of its own for them.
    pub(super) fn refuse_fused(&self, name: &str, elements: usize) -> Result<()> {
        if elements < FUSED {
            return Ok(());
        }
        let Some(Use { node, .. }) = self.uses(name).into_iter().find(|place| is_fused(&place.node.op))
        else {
            return Ok(());
        };
        let (name, op) = (shorten(&node.name), shorten(&node.op));
        Err(invalid(format!(
            "The ONNX file has the node {name} of the kind {op}, whose weights cannot be read: take `model.onnx`, `model_fp16.onnx` or `model_quantized.onnx` of the same model."
        )))
    }

    /// Where the value `name` is used, through nodes that only hand it on: at most [`MOST_USES`] places.
    fn uses(&self, name: &str) -> Vec<Use<'_>> {
        let (mut waiting, mut seen, mut found) = (vec![name], HashSet::from([name]), Vec::new());
        while let Some(value) = waiting.pop() {
            for &(place, input) in self.uses.get(value).into_iter().flatten() {
                if found.len() == MOST_USES {
                    return found;
                }
                let node = &self.nodes[place];
                found.push(Use { node, input });
                let passes = input == 0 && PASSING.contains(&node.op.as_str());
                for output in node.outputs.iter().filter(|_| passes) {
                    if seen.insert(output) {
                        waiting.push(output);
                    }
                }
            }
        }
        found
    }
}

/// Tensors of as many numbers as this are weights of something.
const FUSED: usize = 4096;

/// Whether a node stands for several layers, or for weights in a form of its own.
fn is_fused(op: &str) -> bool {
    op.contains("Attention") || op.contains("NBits") || op.contains("Bnb4") || op.contains("BlockQuantized")
}

/// Whether a node multiplies cosines by the model's scale.
fn is_scaling(node: &Node) -> bool {
    module(&node.name).is_some_and(|(module, ..)| module.is_empty() && node.op == "Mul")
}

/// An `AttributeProto`.
fn read_attribute(message: &[u8], node: &mut Node) -> Result<()> {
    let (mut name, mut number) = (&[][..], 0);
    for field in fields(message) {
        let field = field?;
        match (field.number, field.value) {
            (1, Value::Bytes(bytes)) => name = bytes,
            // Negative numbers are in two's complement.
            (3, Value::Number(value)) => number = value as i64,
            _ => {}
        }
    }
    match name {
        b"transB" => node.transposed = number != 0,
        b"axis" if node.op == "DequantizeLinear" => node.axis = Some(number),
        _ => {}
    }
    Ok(())
}

/// Whether a name is that of a parameter, and none that an exporter made.
fn is_parameter(name: &str) -> bool {
    let made = name.contains("::") || name.starts_with('/') || name.contains("_output_");
    let numbered = name.rsplit_once('_').is_some_and(|(kind, number)| {
        matches!(kind, "val" | "const" | "slim") && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    !made && !numbered && name.contains(|letter: char| letter.is_ascii_alphabetic())
}

/// Whether a tensor is what a product multiplies with, as it lies.
fn is_product(Use { node, input }: Use<'_>) -> bool {
    input == 1 && (PRODUCTS.contains(&node.op.as_str()) || node.op == "Gemm" && !node.transposed)
}

/// The module of a node with the name `path`, as parameters have it, the kind of the node, and which of several in that module
/// it is.
fn module(path: &str) -> Option<(String, &str, usize)> {
    let path = path.strip_prefix('/')?;
    let path = path.strip_suffix("_quant").unwrap_or(path);
    let (module, kind) = path.rsplit_once('/').unwrap_or(("", path));
    let numbered = kind.rsplit_once('_').and_then(|(kind, number)| Some((kind, number.parse().ok()?)));
    let (kind, number) = numbered.unwrap_or((kind, 0));
    Some((module.replace('/', "."), kind, number))
}

/// [`module`] of the node that has made a value, where a tensor stands for what was computed beforehand.
fn value_path(value: &str) -> Option<(String, &str, usize)> {
    let (node, _) = value.rsplit_once("_output_")?;
    module(node)
}
