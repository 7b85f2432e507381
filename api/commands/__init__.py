"""Commands: every act and fact that a person can record, declared once; REST, command line and console are made from the declarations."""
