//! Errors of the library → exceptions of the package (`python/shorei/_errors.py`). No message holds
//! text of a report.

use pyo3::prelude::*;

/// The exception classes that there are.
#[derive(Clone, Copy)]
pub enum Class {
    /// `ShoreiError` itself.
    General,
    /// Also a `FileNotFoundError`.
    FileNotFound,
    /// Also an `OSError`.
    Os,
    /// Also a `ValueError`.
    Value,
}

impl Class {
    const fn name(self) -> &'static str {
        match self {
            Class::General => "ShoreiError",
            Class::FileNotFound => "ShoreiFileNotFoundError",
            Class::Os => "ShoreiOSError",
            Class::Value => "ShoreiValueError",
        }
    }
}

/// An exception of the package.
pub fn exception(class: Class, code: &str, message: String) -> PyErr {
    Python::attach(|py| {
        let made = py
            .import("shorei._errors")
            .and_then(|errors| errors.getattr(class.name()))
            .and_then(|class| class.call1((message, code)));
        match made {
            Ok(error) => PyErr::from_value(error),
            Err(error) => error,
        }
    })
}

/// An argument that has no meaning; the message says what has.
pub fn invalid(message: impl Into<String>) -> PyErr {
    exception(Class::Value, "argument", message.into())
}

/// The exception of an error of the library.
pub fn from_error(error: &shorei::Error) -> PyErr {
    use shorei::Error;
    let class = match error {
        Error::Io { path, .. } if !path.exists() => Class::FileNotFound,
        Error::Index { path, .. } if !path.exists() => Class::FileNotFound,
        Error::Io { .. } | Error::Index { .. } => Class::Os,
        Error::NotUtf8 { .. }
        | Error::TooLong { .. }
        | Error::Dictionary { .. }
        | Error::Model { .. }
        | Error::Pack { .. }
        | Error::Query { .. }
        | Error::Record { .. } => Class::Value,
        _ => Class::General,
    };
    exception(class, error.code(), error.to_string())
}

/// What `work` gives. A panic in it is an exception without the panic's message, which may quote a
/// report.
pub fn guarded<T>(work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let message = "a fault of shorei itself; please report what was called, not the report";
        Err(exception(Class::General, "internal", message.into()))
    })
}
