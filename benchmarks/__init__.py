"""Speed side by side with peers, as ratios of one run; not tests: nothing here can fail for being slow."""
