"""What people see of a net: the table, the drawing, the explanations, the page. It computes nothing anew."""
