//! Vectors of passages, and how near they are. Exact: at tens of thousands of passages a loop over
//! all of them takes a millisecond or two, and no index of its own has to be kept true.

use std::fmt::Debug;

use futures_util::future::BoxFuture;

/// Gives texts their vectors.
pub trait Embed: Debug + Send + Sync {
    /// Kept with the vectors: those of another model are made anew.
    fn model(&self) -> &str;

    /// As many vectors as texts, in their order, of one length.
    fn embed(&self, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>>;
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmbedError {
    /// It will not get better by itself: the server has no embeddings, the key is wrong.
    #[error("there are no embeddings: {0}")]
    Rejected(String),
    /// Unreachable, too slow, a bad status.
    #[error("embeddings cannot be had now: {0}")]
    Away(String),
    /// Not what was asked for: too few, of another length, not finite.
    #[error("the embeddings are unusable: {0}")]
    Unusable(String),
}

/// Of length one, so that the product of two is the cosine of their angle.
pub(crate) fn unit(vector: &[f32]) -> Result<Vec<f32>, EmbedError> {
    let length = vector.iter().map(|value| f64::from(*value) * f64::from(*value)).sum::<f64>().sqrt();
    if !length.is_finite() || length < 1e-12 {
        return Err(EmbedError::Unusable("a vector without a direction".to_owned()));
    }
    Ok(vector.iter().map(|value| (f64::from(*value) / length) as f32).collect())
}

pub(crate) fn bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// All vectors side by side.
#[derive(Debug, Default)]
pub(crate) struct Matrix {
    passages: Vec<i64>,
    dimension: usize,
    values: Vec<f32>,
}

impl Matrix {
    pub(crate) fn new(dimension: usize, count: usize) -> Self {
        Self { passages: Vec::with_capacity(count), dimension, values: Vec::with_capacity(count * dimension) }
    }

    /// What has another length is left out.
    pub(crate) fn push(&mut self, passage: i64, bytes: &[u8]) {
        let (values, rest) = bytes.as_chunks::<4>();
        if values.len() == self.dimension && rest.is_empty() {
            self.passages.push(passage);
            self.values.extend(values.iter().map(|value| f32::from_le_bytes(*value)));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.passages.len()
    }

    /// The nearest passages, the best first.
    pub(crate) fn nearest(&self, vector: &[f32], most: usize) -> Vec<i64> {
        if vector.len() != self.dimension || self.dimension == 0 || most == 0 {
            return Vec::new();
        }
        let rows = self.values.chunks_exact(self.dimension);
        let mut near: Vec<(f32, i64)> =
            rows.zip(&self.passages).map(|(row, passage)| (product(row, vector), *passage)).collect();
        let order =
            |one: &(f32, i64), other: &(f32, i64)| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1));
        if near.len() > most {
            near.select_nth_unstable_by(most, order);
            near.truncate(most);
        }
        near.sort_unstable_by(order);
        near.into_iter().map(|(_, passage)| passage).collect()
    }
}

/// In lanes, which the compiler turns into vector instructions: a single sum has an order it must keep.
fn product(one: &[f32], other: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0; LANES];
    let (ones, rest_one) = one.as_chunks::<LANES>();
    let (others, rest_other) = other.as_chunks::<LANES>();
    for (a, b) in ones.iter().zip(others) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = rest_one.iter().zip(rest_other).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// Reciprocal rank: what stands high in either list comes first, what stands in both before that.
/// The scores of the two lists are never compared: they are of different kinds.
pub(crate) fn fused(lists: &[Vec<i64>], most: usize) -> Vec<(i64, f64)> {
    // 60: the constant of the paper that proposed it (Cormack and others, 2009); it damps the first places.
    const DAMP: f64 = 60.0;
    let mut scores: Vec<(i64, f64)> = Vec::new();
    let mut at = std::collections::HashMap::new();
    for list in lists {
        for (rank, passage) in list.iter().enumerate() {
            let place = *at.entry(*passage).or_insert_with(|| {
                scores.push((*passage, 0.0));
                scores.len() - 1
            });
            scores[place].1 += 1.0 / (DAMP + rank as f64 + 1.0);
        }
    }
    // Stable: among equals the first list decides.
    scores.sort_by(|one, other| other.1.total_cmp(&one.1));
    scores.truncate(most);
    scores
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_stands_in_both_lists_comes_first() {
        let ids = |lists: &[Vec<i64>]| fused(lists, 10).iter().map(|(id, _)| *id).collect::<Vec<_>>();
        assert_eq!(ids(&[vec![1, 2, 3], vec![4, 3, 5]]), [3, 1, 4, 2, 5]);
        assert_eq!(ids(&[vec![1, 2, 3], vec![]]), [1, 2, 3]);
        assert_eq!(ids(&[]), Vec::<i64>::new());
        let (best, worst) = (fused(&[vec![1], vec![1]], 1)[0].1, fused(&[vec![1], vec![]], 1)[0].1);
        assert!((best - 2.0 * worst).abs() < 1e-12);
    }

    #[test]
    fn the_nearest_vectors_are_those_of_the_smallest_angle() {
        let mut matrix = Matrix::new(20, 3);
        let vector = |angle: f32| {
            let mut vector = vec![0.0; 20];
            (vector[3], vector[18]) = (angle.cos(), angle.sin());
            vector
        };
        for (passage, angle) in [(7, 0.9), (8, 0.1), (9, 2.0)] {
            matrix.push(passage, &bytes(&vector(angle)));
        }
        matrix.push(10, &[0; 7]);
        matrix.push(11, &[0; 16]);
        assert_eq!(matrix.len(), 3);
        assert_eq!(matrix.nearest(&vector(0.0), 2), [8, 7]);
        assert_eq!(matrix.nearest(&vector(2.1), 9), [9, 7, 8]);
        assert_eq!(matrix.nearest(&[1.0; 3], 2), Vec::<i64>::new());
    }

    #[test]
    fn a_vector_without_a_direction_is_refused() {
        assert!(unit(&[0.0, 0.0]).is_err());
        assert!(unit(&[f32::NAN, 1.0]).is_err());
        assert!(unit(&[f32::INFINITY, 1.0]).is_err());
        assert_eq!(unit(&[3.0, 4.0]).unwrap(), [0.6, 0.8]);
    }
}
