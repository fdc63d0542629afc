//! Backline keeps an application connected to its generative-AI backends.
