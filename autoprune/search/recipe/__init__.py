"""The learning rates of fine-tuning that a study leaves out, chosen by trainings.

Retraining at the parent's own rate beats the usual tenth of it (Renda, Frankle, Carbin, "Comparing
Rewinding and Fine-tuning in Neural Network Pruning", ICLR 2020). How far that holds for a network,
its data and its epochs is measured: plans of the uniform sweep, one of medium and one of harsh
compression, are trained at the parent's peak rate and below it. A plan has one seed at all rates,
so that they differ in nothing else.
"""
