"""The intermediate representation: shapes, parameters, the rules a layer must answer, and one graph type a stage."""
