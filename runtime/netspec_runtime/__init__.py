"""What runs after the compiler: data, training, evaluation, inference. Never imports netspec."""
