//! The element-wise steps of a transformer block, each in one pass over its rows.
//!
//! candle's own are several passes and scalar `exp` and `erf`, which took half of the time of a
//! forward on a CPU. On other devices its own are used.

use candle_core::{CpuStorage, InplaceOp1, InplaceOp2, InplaceOp3, Layout, Result, Tensor, bail};
use candle_nn::ops;
use rayon::prelude::*;
use rten_simd::functional::simd_apply;
use rten_simd::{Isa, SimdOp, SimdUnaryOp};
use rten_vecmath::{ApproxGelu, Gelu, Normalize, NormalizeOptions, Softmax, Sum, SumSquareSub};

use super::config::Activation;

/// Numbers that a thread takes at a time: about a level-2 cache, and enough to pay for the thread.
const CHUNK: usize = 1 << 16;

/// `activation(x + bias)`, over the rows of `x`, which must be nobody else's: it is written to.
pub(super) fn add_bias(x: Tensor, bias: &Tensor, activation: Option<Activation>) -> Result<Tensor> {
    if x.device().is_cpu() {
        x.inplace_op2(bias, &AddBias(activation))?;
        return Ok(x);
    }
    let x = x.broadcast_add(bias)?;
    match activation {
        None => Ok(x),
        Some(Activation::Gelu) => x.gelu_erf(),
        Some(Activation::GeluTanh) => x.gelu(),
        Some(Activation::Relu) => x.relu(),
    }
}

/// Softmax over the last dimension of `x`, which must be nobody else's.
pub(super) fn softmax(x: Tensor) -> Result<Tensor> {
    if x.device().is_cpu() {
        x.inplace_op1(&SoftmaxRows)?;
        return Ok(x);
    }
    ops::softmax_last_dim(&x)
}

/// The parameters of a layer norm behind a linear layer.
#[derive(Debug, Clone)]
pub(super) struct Norm {
    /// `[3, width]`: the linear layer's bias, the norm's weight, the norm's bias.
    parameters: Tensor,
    epsilon: f32,
}

impl Norm {
    /// From the bias of the linear layer before, and the norm's weight and bias, of one width.
    pub fn new(linear_bias: &Tensor, weight: &Tensor, bias: &Tensor, epsilon: f64) -> Result<Self> {
        Ok(Norm {
            parameters: Tensor::stack(&[linear_bias, weight, bias], 0)?,
            epsilon: epsilon as f32,
        })
    }

    /// `layer_norm(x + linear bias + residual)`, over the rows of `x`, which must be nobody else's.
    pub fn add_and_norm(&self, x: Tensor, residual: &Tensor) -> Result<Tensor> {
        if x.device().is_cpu() {
            x.inplace_op3(residual, &self.parameters, &AddNorm(self.epsilon))?;
            return Ok(x);
        }
        let row = |index: usize| self.parameters.get(index);
        let x = (x.broadcast_add(&row(0)?)? + residual)?;
        ops::layer_norm(&x, &row(1)?, &row(2)?, self.epsilon)
    }
}

struct AddBias(Option<Activation>);

impl InplaceOp2 for AddBias {
    fn name(&self) -> &'static str {
        "add-bias"
    }

    fn cpu_fwd(&self, x: &mut CpuStorage, layout: &Layout, bias: &CpuStorage, bias_layout: &Layout) -> Result<()> {
        let bias = read(bias, bias_layout)?;
        let x = write(x, layout)?;
        rows(x, bias.len()).for_each(|rows| {
            BiasRows {
                rows,
                bias,
                activation: self.0,
            }
            .dispatch();
        });
        Ok(())
    }
}

struct BiasRows<'a> {
    rows: &'a mut [f32],
    bias: &'a [f32],
    activation: Option<Activation>,
}

impl SimdOp for BiasRows<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let ops = isa.f32();
        for row in self.rows.chunks_exact_mut(self.bias.len()) {
            for (x, bias) in row.iter_mut().zip(self.bias) {
                *x += bias;
            }
            match self.activation {
                None => {}
                Some(Activation::Gelu) => {
                    simd_apply::<_, _, _, 4>(
                        ops,
                        row,
                        #[inline(always)]
                        |x| Gelu {}.eval(isa, x),
                    );
                }
                Some(Activation::GeluTanh) => {
                    simd_apply::<_, _, _, 4>(
                        ops,
                        row,
                        #[inline(always)]
                        |x| ApproxGelu {}.eval(isa, x),
                    );
                }
                Some(Activation::Relu) => {
                    for x in row {
                        *x = x.max(0.0);
                    }
                }
            }
        }
    }
}

struct SoftmaxRows;

impl InplaceOp1 for SoftmaxRows {
    fn name(&self) -> &'static str {
        "softmax-rows"
    }

    fn cpu_fwd(&self, x: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let width = layout.dims().last().copied().unwrap_or(1);
        let x = write(x, layout)?;
        rows(x, width).for_each(|rows| SoftmaxOver { rows, width }.dispatch());
        Ok(())
    }
}

struct SoftmaxOver<'a> {
    rows: &'a mut [f32],
    width: usize,
}

impl SimdOp for SoftmaxOver<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        for row in self.rows.chunks_exact_mut(self.width) {
            Softmax::new_mut(row).eval(isa);
        }
    }
}

/// Holds the norm's epsilon.
struct AddNorm(f32);

impl InplaceOp3 for AddNorm {
    fn name(&self) -> &'static str {
        "add-norm"
    }

    fn cpu_fwd(
        &self,
        x: &mut CpuStorage,
        layout: &Layout,
        residual: &CpuStorage,
        residual_layout: &Layout,
        parameters: &CpuStorage,
        parameters_layout: &Layout,
    ) -> Result<()> {
        let residual = read(residual, residual_layout)?;
        let parameters = read(parameters, parameters_layout)?;
        let x = write(x, layout)?;
        let width = parameters.len() / 3;
        if residual.len() != x.len() {
            bail!("add-norm: {} and {} numbers", x.len(), residual.len());
        }
        rows(x, width)
            .zip(residual.par_chunks(chunk(width)))
            .for_each(|(rows, residual)| {
                NormRows {
                    rows,
                    residual,
                    parameters,
                    epsilon: self.0,
                }
                .dispatch();
            });
        Ok(())
    }
}

struct NormRows<'a> {
    rows: &'a mut [f32],
    residual: &'a [f32],
    parameters: &'a [f32],
    epsilon: f32,
}

impl SimdOp for NormRows<'_> {
    type Output = ();

    #[inline(always)]
    fn eval<I: Isa>(self, isa: I) {
        let width = self.parameters.len() / 3;
        let (linear_bias, norm) = self.parameters.split_at(width);
        let (weight, bias) = norm.split_at(width);
        for (row, residual) in self.rows.chunks_exact_mut(width).zip(self.residual.chunks_exact(width)) {
            for ((x, residual), bias) in row.iter_mut().zip(residual).zip(linear_bias) {
                *x += residual + bias;
            }
            let mean = Sum::new(row).eval(isa) / width as f32;
            let variance = SumSquareSub::new(row, mean).eval(isa) / width as f32;
            Normalize::new_mut(
                row,
                NormalizeOptions {
                    pre_scale_bias: mean,
                    scale: (variance + self.epsilon).sqrt().recip(),
                    element_scale: Some(weight),
                    bias: 0.0,
                    element_bias: Some(bias),
                },
            )
            .eval(isa);
        }
    }
}

/// Whole rows, so many that a thread has work.
fn rows(x: &mut [f32], width: usize) -> rayon::slice::ChunksMut<'_, f32> {
    x.par_chunks_mut(chunk(width))
}

fn chunk(width: usize) -> usize {
    width * (CHUNK / width).max(1)
}

fn read<'s>(storage: &'s CpuStorage, layout: &Layout) -> Result<&'s [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(numbers), Some((start, end))) => Ok(&numbers[start..end]),
        _ => bail!("contiguous 32-bit floats only"),
    }
}

fn write<'s>(storage: &'s mut CpuStorage, layout: &Layout) -> Result<&'s mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(numbers), Some((start, end))) => Ok(&mut numbers[start..end]),
        _ => bail!("contiguous 32-bit floats only"),
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device};

    use super::*;

    /// Not a multiple of any vector's width, so that remainders are met.
    const ROWS: usize = 5;
    const WIDTH: usize = 37;

    fn numbers(seed: u32, shape: &[usize]) -> Tensor {
        let count: usize = shape.iter().product();
        let values: Vec<f32> = (0..count as u32)
            .map(|i| (i.wrapping_mul(2_654_435_761).wrapping_add(seed * 97) >> 8) as f32 / (1 << 22) as f32 - 2.0)
            .collect();
        Tensor::from_vec(values, shape, &Device::Cpu).expect("as many values as the shape has")
    }

    fn assert_close(ours: &Tensor, theirs: &Tensor) {
        let far = (ours - theirs)
            .and_then(|difference| {
                difference
                    .abs()?
                    .flatten_all()?
                    .max(0)?
                    .to_dtype(DType::F64)?
                    .to_scalar::<f64>()
            })
            .expect("one shape");
        assert!(far < 5e-6, "{far}");
    }

    #[test]
    fn bias_and_activation_are_candles() -> Result<()> {
        let (x, bias) = (numbers(1, &[ROWS, WIDTH]), numbers(2, &[WIDTH]));
        let sum = x.broadcast_add(&bias)?;
        assert_close(&add_bias(x.copy()?, &bias, None)?, &sum);
        assert_close(&add_bias(x.copy()?, &bias, Some(Activation::Gelu))?, &sum.gelu_erf()?);
        assert_close(&add_bias(x.copy()?, &bias, Some(Activation::GeluTanh))?, &sum.gelu()?);
        assert_close(&add_bias(x.copy()?, &bias, Some(Activation::Relu))?, &sum.relu()?);
        Ok(())
    }

    #[test]
    fn softmax_and_norm_are_candles() -> Result<()> {
        let x = numbers(3, &[2, ROWS, WIDTH]);
        assert_close(&softmax(x.copy()?)?, &ops::softmax(&x, 2)?);
        let (x, residual) = (numbers(4, &[ROWS, WIDTH]), numbers(5, &[ROWS, WIDTH]));
        let [linear_bias, weight, bias] = [6, 7, 8].map(|seed| numbers(seed, &[WIDTH]));
        let norm = Norm::new(&linear_bias, &weight, &bias, 1e-12)?;
        let sum = (x.broadcast_add(&linear_bias)? + &residual)?;
        assert_close(
            &norm.add_and_norm(x.copy()?, &residual)?,
            &ops::layer_norm_slow(&sum, &weight, &bias, 1e-12)?,
        );
        Ok(())
    }
}
