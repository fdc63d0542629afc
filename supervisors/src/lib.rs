//! OTP-style supervision trees on ractor.
