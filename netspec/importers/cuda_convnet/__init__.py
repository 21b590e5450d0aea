"""cuda-convnet's layer files, of 2011, 2012 and 2014, to a Spec. It reads no checkpoint of theirs."""
