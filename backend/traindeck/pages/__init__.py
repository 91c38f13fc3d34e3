"""The pages that a person sees: one module for each, from a typed context to HTML."""
