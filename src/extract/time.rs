//! t
use crate::types::{Norm,Span};
/// k
#[derive(Debug,Clone,Copy)]
pub enum TimeKind{/// d
 Date}
/// e
#[derive(Debug)]
pub struct TimeExpression{/// s
pub span:Span<Norm>,/// k
pub kind:TimeKind,/// d
pub date:Option<String>}
/// t
pub fn time_expressions(_:&str,_:Span<Norm>,_:Option<(i32,u32,u32)>)->Vec<TimeExpression>{vec![]}
