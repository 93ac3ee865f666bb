//! Every vector of the signed formats, and what the vectors cannot have.
