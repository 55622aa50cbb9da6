"""How the detector that `graphkit demo` writes was made: its pictures, its training, its evaluation."""
