-- The vault: ciphertexts of personal fields and the wrapped keys that open them. Outside the log, so that they can be erased.
create schema vault authorization qingling_owner;
