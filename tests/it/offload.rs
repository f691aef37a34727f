//! Vision transformers as another device computes them: a naive one in double precision stands in for a GPU, for text towers
//! too.

use ocelli::ErrorKind;
use ocelli::models::dual::{DualConfig, DualEncoder, Towers};
use ocelli::models::vision::{TowerDescription, TowerParameter, VisionTransformer};
use ocelli::models::{LayersDescription, to_json};
use ocelli::tasks::{CaptionOptions, Captioner, ImageEncoding};

use crate::golden::{Golden, IMAGES, difference, pixels};
use crate::tasks::{captioner, picture};

/// With and without a class token, registers, a norm before the layers, layer scale; queries, keys and values together and
/// apart.
const MODELS: [&str; 7] = [
    "clip-quick-gelu-eos-2",
    "clip-silu-relu",
    "clip-vision-alone",
    "dinov2-registers",
    "open-clip-vit",
    "open-clip-vit-whole",
    "siglip",
];
/// Largest difference of a number of what a model makes of its own layers and of the other device's.
pub const BOUND: f32 = 2e-4;

pub type Rows = Vec<Vec<f64>>;

/// What the layers of a tower are.
pub struct Layers {
    pub width: usize,
    pub heads: usize,
    pub activation: &'static str,
    pub epsilon: f64,
    pub causal: bool,
}

/// Gives a tower's parameters by their names.
type Parameters<'a> = dyn Fn(&str) -> Option<TowerParameter<'a>> + 'a;

/// Computes from a tower's description and parameters alone.
pub struct Device<'a> {
    pub parameter: Box<Parameters<'a>>,
    pub layers: Layers,
}

impl<'a> Device<'a> {
    fn of(tower: &'a VisionTransformer, description: &TowerDescription) -> Self {
        let &LayersDescription { width, heads, activation, epsilon, .. } = &description.layers;
        let layers = Layers { width, heads, activation, epsilon, causal: false };
        Self { parameter: Box::new(|name| tower.parameter(name).unwrap()), layers }
    }

    fn vector(&self, name: &str) -> Option<Vec<f64>> {
        match (self.parameter)(name)? {
            TowerParameter::Values(values) => Some(values.iter().map(|&x| f64::from(x)).collect()),
            TowerParameter::Matrix(_) => panic!("{name} is a matrix"),
        }
    }

    fn linear(&self, name: &str, x: &Rows) -> Rows {
        let Some(TowerParameter::Matrix(weight)) = (self.parameter)(name) else {
            panic!("there is no {name}")
        };
        let mut rows = vec![vec![0.0; weight.columns()]; weight.rows()];
        rows.iter_mut().enumerate().for_each(|(i, row)| weight.copy_row(i, row));
        let bias = self.vector(&format!("{name}.bias"));
        let output = |x: &[f64], row: usize| {
            let sum: f64 = x.iter().zip(&rows[row]).map(|(x, w)| x * f64::from(*w)).sum();
            sum + bias.as_ref().map_or(0.0, |bias| bias[row])
        };
        x.iter().map(|x| (0..rows.len()).map(|row| output(x, row)).collect()).collect()
    }

    fn norm(&self, name: &str, x: &Rows) -> Rows {
        let [weight, bias] = ["weight", "bias"].map(|part| self.vector(&format!("{name}.{part}")).unwrap());
        let normed = |x: &Vec<f64>| -> Vec<f64> {
            let count = x.len() as f64;
            let mean = x.iter().sum::<f64>() / count;
            let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
            let deviation = (variance + self.layers.epsilon).sqrt();
            let places = x.iter().zip(weight.iter().zip(&bias));
            places.map(|(x, (weight, bias))| (x - mean) / deviation * weight + bias).collect()
        };
        x.iter().map(normed).collect()
    }

    fn activation(&self, x: f64) -> f64 {
        match self.layers.activation {
            "quick_gelu" => x / (1.0 + (-1.702 * x).exp()),
            "silu" => x / (1.0 + (-x).exp()),
            "relu" => x.max(0.0),
            "gelu_pytorch_tanh" => {
                0.5 * x * (1.0 + ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3))).tanh())
            }
            // Simpson's rule for the integral of the normal density.
            "gelu" => {
                let (steps, density) =
                    (400, |t: f64| (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt());
                let step = x / f64::from(steps);
                let weight = |i: i32| if i == 0 || i == steps { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
                let sum: f64 = (0..=steps).map(|i| weight(i) * density(f64::from(i) * step)).sum();
                x * (0.5 + sum * step / 3.0)
            }
            other => panic!("{other} is unknown"),
        }
    }

    fn attention(&self, layer: usize, x: &Rows) -> Rows {
        let name = |part: &str| format!("layers.{layer}.{part}");
        let width = self.layers.width;
        let apart = (self.parameter)(&name("qkv")).is_none();
        let [q, k, v]: [Rows; 3] = if apart {
            ["q", "k", "v"].map(|part| self.linear(&name(part), x))
        } else {
            let all = self.linear(&name("qkv"), x);
            [0, 1, 2].map(|i| all.iter().map(|row| row[i * width..][..width].to_vec()).collect())
        };
        let size = width / self.layers.heads;
        let mut context = vec![vec![0.0; width]; x.len()];
        for head in 0..self.layers.heads {
            let part = |row: &Vec<f64>| row[head * size..][..size].to_vec();
            for (row, (query, out)) in q.iter().map(part).zip(&mut context).enumerate() {
                let seen = if self.layers.causal { row + 1 } else { k.len() };
                let dot = |key: &Vec<f64>| query.iter().zip(part(key)).map(|(a, b)| a * b).sum::<f64>();
                let scores: Vec<f64> =
                    k[..seen].iter().map(|key| (dot(key) / (size as f64).sqrt()).exp()).collect();
                let total: f64 = scores.iter().sum();
                for (score, value) in scores.iter().zip(&v) {
                    let value = part(value);
                    let out = out[head * size..].iter_mut().zip(value);
                    out.for_each(|(out, value)| *out += score / total * value);
                }
            }
        }
        self.linear(&name("out"), &context)
    }

    /// The states of one sequence after so many layers.
    pub fn after(&self, layers: usize, mut x: Rows) -> Rows {
        for layer in 0..layers {
            let name = |part: &str| format!("layers.{layer}.{part}");
            let attended = self.attention(layer, &self.norm(&name("norm1"), &x));
            x = sum(&x, &attended, self.vector(&name("scale1")));
            let mut inner = self.linear(&name("up"), &self.norm(&name("norm2"), &x));
            inner.iter_mut().flatten().for_each(|x| *x = self.activation(*x));
            x = sum(&x, &self.linear(&name("down"), &inner), self.vector(&name("scale2")));
        }
        x
    }

    /// The states of one image after the last layer.
    fn states(&self, description: &TowerDescription, patches: &[f32]) -> Rows {
        let (width, inputs) = (description.layers.width, description.inputs);
        let rows = |values: Vec<f64>| values.chunks(width).map(<[f64]>::to_vec).collect::<Rows>();
        let patches: Rows =
            patches.chunks(inputs).map(|patch| patch.iter().map(|&x| f64::from(x)).collect()).collect();
        assert_eq!(patches.len(), description.patches);
        let mut x = self.vector("prefix").map(rows).unwrap_or_default();
        assert_eq!(x.len(), description.prefix);
        let positions = rows(self.vector("positions").unwrap());
        x.extend(sum(&self.linear("patch_embedding", &patches), &positions, None));
        if description.pre_norm {
            x = self.norm("pre_norm", &x);
        }
        self.after(description.layers.layers, x)
    }
}

/// `a + b`, or `a + scale b`.
fn sum(a: &Rows, b: &Rows, scale: Option<Vec<f64>>) -> Rows {
    let scaled = |i: usize, b: f64| scale.as_ref().map_or(b, |scale| scale[i] * b);
    let row = |(a, b): (&Vec<f64>, &Vec<f64>)| -> Vec<f64> {
        a.iter().zip(b).enumerate().map(|(i, (a, b))| a + scaled(i, *b)).collect()
    };
    a.iter().zip(b).map(row).collect()
}

fn model(name: &str) -> (DualEncoder, usize) {
    let golden = Golden::read(name);
    let config = DualConfig::from_json(&golden.config).unwrap();
    let size = config.image_size().unwrap();
    (DualEncoder::with_towers(&config, Towers::Image, golden.weights()).unwrap(), size)
}

#[test]
fn another_device_gives_the_same_from_the_description_and_the_parameters() {
    for name in MODELS {
        let (model, size) = model(name);
        let tower = model.vision().unwrap();
        let transformer = tower.transformer().unwrap();
        let description = transformer.description();
        let device = Device::of(transformer, &description);
        let images = pixels(size);
        for i in 0..IMAGES {
            let begun = tower.begin(&images.narrow(0, i, 1).unwrap()).unwrap();
            let expected = model.image_features_of(begun.clone()).unwrap();
            for whole in [false, true] {
                let mut state = begun.clone();
                if whole {
                    state.whole();
                }
                let patches =
                    transformer.patches_of(&state).unwrap().flatten_all().unwrap().to_vec1().unwrap();
                let mut states = device.states(&description, &patches);
                if !transformer.wants_all(&state) {
                    states.truncate(1);
                }
                let states: Vec<f32> = states.concat().iter().map(|&x| x as f32).collect();
                transformer.complete(&mut state, states).unwrap();
                let found = model.image_features_of(state).unwrap();
                let off = difference(&found, &expected);
                assert!(off <= BOUND, "{name}, {whole}: off by {off:e}");
            }
        }
    }
}

#[test]
fn states_that_are_not_those_of_the_image_are_refused_and_change_nothing() {
    let (model, size) = model(MODELS[0]);
    let tower = model.vision().unwrap();
    let transformer = tower.transformer().unwrap();
    let description = transformer.description();
    let mut state = tower.begin(&pixels(size).narrow(0, 0, 1).unwrap()).unwrap();
    let right = vec![0.5; description.layers.width];
    for wrong in [vec![], vec![0.5; description.layers.width - 1], vec![f32::NAN; description.layers.width]] {
        let error = transformer.complete(&mut state, wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ArgumentInvalid);
        assert!(transformer.patches_of(&state).is_ok());
    }
    let mut kept = state.clone();
    kept.keep();
    assert!(transformer.complete(&mut kept, right.clone()).is_err());
    assert!(transformer.states_of(&state).is_err());
    transformer.complete(&mut state, right).unwrap();
    assert_eq!(transformer.states_of(&state).unwrap().dims(), [1, description.layers.width]);
    assert!(transformer.patches_of(&state).is_err());
    for name in ["", "layers.99.out", "layers.-1.out", "layers.0", "patch_embedding.other", "positions.bias"]
    {
        assert!(transformer.parameter(name).unwrap().is_none(), "{name}");
    }
    assert!(to_json(&description).unwrap().contains(r#""preNorm":true"#));
}

/// Numbers of rows, as another device gives them back.
fn flat(rows: &Rows) -> Vec<f32> {
    rows.iter().flatten().map(|&x| x as f32).collect()
}

/// The states of a picture, and what each layer of captions sees of them, as another device computes them.
fn seen(captioner: &Captioner, encoding: &ImageEncoding) -> (Vec<f32>, Vec<Rows>) {
    let transformer = captioner.tower().transformer().unwrap();
    let projection = captioner.projection().unwrap();
    let description = transformer.description();
    let device = Device::of(transformer, &description);
    let states = device.states(&description, &encoding.patches(transformer).unwrap());
    let normal = device.norm("post_norm", &states);
    let texts = Device { parameter: Box::new(|name| projection.parameter(name)), ..device };
    let layer = |i: usize| -> Rows {
        let [keys, values] = ["key", "value"].map(|part| texts.linear(&format!("{i}.{part}"), &normal));
        keys.into_iter().zip(values).map(|(key, value)| [key, value].concat()).collect()
    };
    (flat(&states), (0..projection.description().layers).map(layer).collect())
}

fn caption(captioner: &Captioner, encoding: &ImageEncoding) -> String {
    let plan = captioner.plan(&CaptionOptions::default()).unwrap();
    captioner.write(encoding, &plan).unwrap().collect::<ocelli::Result<_>>().unwrap()
}

#[test]
fn captions_of_what_another_device_has_them_see_are_the_same() {
    let captioner = captioner();
    let (tower, projection) = (captioner.tower(), captioner.projection().unwrap());
    let transformer = tower.transformer().unwrap();
    for path in ["www/samples/cat.webp", "www/samples/mushroom.webp"] {
        let begun = captioner.encode_image(&picture(path)).unwrap();
        let mut own = begun.clone();
        while captioner.advance(&mut own).unwrap() > 0 {}
        let (states, layers) = seen(&captioner, &begun);
        for (i, layer) in layers.iter().enumerate() {
            let expected = own.project(tower, &projection, i).unwrap();
            let most = expected.iter().fold(0.0f32, |most, x| most.max(x.abs()));
            let off = flat(layer).iter().zip(&expected).fold(0.0f32, |off, (a, b)| off.max((a - b).abs()));
            assert!(flat(layer).len() == expected.len() && off <= BOUND * most, "layer {i}: off by {off:e}");
        }
        let mut found = begun.clone();
        found.complete_seen(transformer, states.clone(), &projection, layers.iter().map(flat)).unwrap();
        assert_eq!(caption(&captioner, &found), caption(&captioner, &own), "{path}");
        // What the other device gives is what captions see.
        let mut other = begun;
        let zeros = layers.iter().map(|layer| vec![0.0; flat(layer).len()]);
        other.complete_seen(transformer, states, &projection, zeros).unwrap();
        assert_ne!(caption(&captioner, &other), caption(&captioner, &own), "{path}");
    }
}

#[test]
fn keys_and_values_that_are_not_those_of_the_image_are_refused_and_change_nothing() {
    let captioner = captioner();
    let projection = captioner.projection().unwrap();
    let transformer = captioner.tower().transformer().unwrap();
    let mut encoding = captioner.encode_image(&picture("www/samples/cat.webp")).unwrap();
    let (states, layers) = seen(&captioner, &encoding);
    let right: Vec<Vec<f32>> = layers.iter().map(flat).collect();
    let mut short = right.clone();
    short[0].pop();
    let mut broken = right.clone();
    broken[0][3] = f32::NAN;
    for wrong in [vec![], right[1..].to_vec(), short, broken] {
        let error =
            encoding.complete_seen(transformer, states.clone(), &projection, wrong.into_iter()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ArgumentInvalid);
        assert!(encoding.patches(transformer).is_ok());
    }
    encoding.complete_seen(transformer, states, &projection, right.into_iter()).unwrap();
    assert!(encoding.project(captioner.tower(), &projection, 99).is_err());
    for name in ["", "0", "0.query", "0.key.other", "99.key"] {
        assert!(projection.parameter(name).is_none(), "{name}");
    }
}
