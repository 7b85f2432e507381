"""The campaign that `qingling up --sample` plays: about three hundred invented cases in the field's real proportions, winter 2019."""
