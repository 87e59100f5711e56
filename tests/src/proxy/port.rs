//! The proxy on a port of 127.0.0.1, for functions that run as processes of their own.
