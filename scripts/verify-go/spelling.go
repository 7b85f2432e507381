package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// Of every number, hash and text one spelling is accepted, so that nobody can hand out two files that differ and both hold.

// maxSize is the largest tree whose proofs package tlog walks through; no log comes near.
const maxSize = 1 << 62

// decimalOf reads a number from 0 to 2^62 in ASCII digits without sign and leading zeros.
func decimalOf(text string) (int64, error) {
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 0 || number > maxSize || strconv.FormatInt(number, 10) != text {
		return 0, fmt.Errorf("%.40q is not a decimal number from 0 to 2^62", text)
	}
	return number, nil
}

// base64Of reads standard Base64 with padding (RFC 4648 section 4) and no stray bits behind its end.
func base64Of(text string) ([]byte, error) {
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || base64.StdEncoding.EncodeToString(data) != text {
		return nil, fmt.Errorf("%.40q is not standard Base64", text)
	}
	return data, nil
}

// hashOf reads a hash in standard Base64.
func hashOf(text string) (hash tlog.Hash, err error) {
	data, err := base64Of(text)
	if err != nil || len(data) != len(hash) {
		return hash, fmt.Errorf("%.60q is not a hash in standard Base64", text)
	}
	copy(hash[:], data)
	return hash, nil
}

// hexHashOf reads a hash in 64 lower-case hexadecimal digits.
func hexHashOf(text string) (hash tlog.Hash, err error) {
	data, err := hex.DecodeString(text)
	if err != nil || len(data) != len(hash) || hex.EncodeToString(data) != text {
		return hash, fmt.Errorf("%.80q is not a hash in 64 lower-case hexadecimal digits", text)
	}
	copy(hash[:], data)
	return hash, nil
}

// linesOf splits a text at U+000A and nowhere else. Its last line is ended too; an empty text has no lines.
func linesOf(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	if !strings.HasSuffix(text, "\n") {
		return nil, fmt.Errorf("the last line is not ended by a newline")
	}
	return strings.Split(text[:len(text)-1], "\n"), nil
}
