package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// Canonical JSON: RFC 8785, of which a log uses this subset: ASCII keys, and integers within ±(2^53 − 1) for numbers. A value
// has exactly one spelling, so that checking the spelling is the same as decoding, encoding again and comparing bytes: no
// white space, keys strictly rising, a string escaped where RFC 8785 section 3.2.2.2 says and nowhere else.
//
// The scanner decodes nothing that nobody asks for: it walks over the bytes once and hands out the members of an object as
// slices of them.

const (
	maxInteger = 1<<53 - 1
	// maxDepth is deeper than any entry, and as deep as the encoders of Qingling go.
	maxDepth = 254
)

// member is one member of an object: the key as it reads, and the bytes of the value as it is spelled.
type member func(key, value []byte) error

// eachMember walks an object in canonical form and hands out its members, in order.
func eachMember(data []byte, each member) error {
	if !utf8.Valid(data) {
		return errors.New("it is not UTF-8")
	}
	s := scanner{data: data}
	if err := s.object(each); err != nil {
		return err
	}
	return s.end()
}

// eachItem walks an array that is known to be canonical, and hands out its items, in order.
func eachItem(data []byte, each func(value []byte) error) error {
	s := scanner{data: data}
	if err := s.array(each); err != nil {
		return err
	}
	return s.end()
}

// textOf is the string that a canonical value is.
func textOf(value []byte) (string, error) {
	if len(value) < 2 || value[0] != '"' {
		return "", errors.New("it is not a text")
	}
	return string(unescaped(value[1 : len(value)-1])), nil
}

// integerOf is the integer that a canonical value is.
func integerOf(value []byte) (int64, error) {
	if len(value) == 0 || value[0] != '-' && !isDigit(value[0]) {
		return 0, errors.New("it is not a number")
	}
	return strconv.ParseInt(string(value), 10, 64)
}

type scanner struct {
	data  []byte
	at    int
	depth int
}

func (s *scanner) wrong(what string) error {
	return fmt.Errorf("%s at byte %d", what, s.at)
}

func (s *scanner) end() error {
	if s.at != len(s.data) {
		return s.wrong("something stands behind the value")
	}
	return nil
}

// peek is the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.at < len(s.data) {
		return s.data[s.at]
	}
	return 0
}

func (s *scanner) take(expected byte) error {
	if s.peek() != expected || s.at >= len(s.data) {
		return s.wrong("there is no " + strconv.Quote(string(rune(expected))))
	}
	s.at++
	return nil
}

func (s *scanner) value() error {
	switch next := s.peek(); {
	case next == '"':
		_, err := s.text()
		return err
	case next == '{':
		return s.object(nil)
	case next == '[':
		return s.array(nil)
	case next == '-' || isDigit(next):
		return s.integer()
	}
	for _, literal := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(s.data[s.at:], []byte(literal)) {
			s.at += len(literal)
			return nil
		}
	}
	return s.wrong("there is no JSON value in canonical form")
}

func (s *scanner) object(each member) error {
	if err := s.open('{'); err != nil {
		return err
	}
	var last []byte
	for first := true; first || s.peek() == ','; first = false {
		if first && s.peek() == '}' {
			break
		}
		if !first {
			s.at++
		}
		key, value, err := s.member()
		if err != nil {
			return err
		}
		if !first && bytes.Compare(key, last) <= 0 {
			return fmt.Errorf("the key %q does not stand behind %q at byte %d", key, last, s.at)
		}
		if each != nil {
			if err := each(key, value); err != nil {
				return err
			}
		}
		last = key
	}
	return s.close('}')
}

// member reads one member, key and value.
func (s *scanner) member() (key, value []byte, err error) {
	raw, err := s.text()
	if err != nil {
		return nil, nil, err
	}
	for _, b := range raw {
		if b >= utf8.RuneSelf {
			return nil, nil, s.wrong("a key is not ASCII")
		}
	}
	if err := s.take(':'); err != nil {
		return nil, nil, err
	}
	from := s.at
	if err := s.value(); err != nil {
		return nil, nil, err
	}
	return unescaped(raw), s.data[from:s.at], nil
}

func (s *scanner) array(each func(value []byte) error) error {
	if err := s.open('['); err != nil {
		return err
	}
	for first := true; first || s.peek() == ','; first = false {
		if first && s.peek() == ']' {
			break
		}
		if !first {
			s.at++
		}
		from := s.at
		if err := s.value(); err != nil {
			return err
		}
		if each != nil {
			if err := each(s.data[from:s.at]); err != nil {
				return err
			}
		}
	}
	return s.close(']')
}

func (s *scanner) open(bracket byte) error {
	if err := s.take(bracket); err != nil {
		return err
	}
	if s.depth++; s.depth > maxDepth {
		return s.wrong(fmt.Sprintf("values are nested deeper than %d levels", maxDepth))
	}
	return nil
}

func (s *scanner) close(bracket byte) error {
	s.depth--
	return s.take(bracket)
}

// integer reads a number without fraction and exponent; −0 has the canonical spelling 0.
func (s *scanner) integer() error {
	from := s.at
	if s.peek() == '-' {
		s.at++
	}
	digits := s.at
	for isDigit(s.peek()) {
		s.at++
	}
	spelled := s.data[digits:s.at]
	switch {
	case len(spelled) == 0, spelled[0] == '0' && s.at > from+1:
		return s.wrong("a number is not in canonical form")
	case s.peek() == '.' || s.peek() == 'e' || s.peek() == 'E':
		return s.wrong("a number is no integer")
	}
	if number, err := strconv.ParseInt(string(spelled), 10, 64); err != nil || number > maxInteger {
		return s.wrong("an integer is beyond 2^53 − 1")
	}
	return nil
}

// text reads a string and returns what stands between its quotation marks, as it is spelled.
func (s *scanner) text() ([]byte, error) {
	if err := s.take('"'); err != nil {
		return nil, err
	}
	from := s.at
	for s.at < len(s.data) {
		next := s.data[s.at]
		switch {
		case next == '"':
			s.at++
			return s.data[from : s.at-1], nil
		case next == '\\':
			if err := s.escape(); err != nil {
				return nil, err
			}
		case next < 0x20:
			return nil, s.wrong("a control character stands in a text")
		default:
			s.at++
		}
	}
	return nil, s.wrong("a text has no end")
}

// shortEscapes are those of RFC 8785 section 3.2.2.2: by the letter behind the backslash what it stands for.
var shortEscapes = [256]byte{'b': '\b', 't': '\t', 'n': '\n', 'f': '\f', 'r': '\r', '"': '"', '\\': '\\'}

// escape reads an escape; every other control character is \u00xx in lower case, and nothing else is escaped.
func (s *scanner) escape() error {
	rest := s.data[s.at+1:]
	if len(rest) > 0 && shortEscapes[rest[0]] != 0 {
		s.at += 2
		return nil
	}
	if code, ok := unicodeEscape(rest); ok && !hasShortEscape(code) {
		s.at += 6
		return nil
	}
	return s.wrong("an escape is not in canonical form")
}

// unicodeEscape is the control character below 0x20 that rest, beginning with u, spells.
func unicodeEscape(rest []byte) (code byte, ok bool) {
	if len(rest) < 5 || string(rest[:3]) != "u00" || rest[3] != '0' && rest[3] != '1' {
		return 0, false
	}
	low := rest[4]
	switch {
	case isDigit(low):
		low -= '0'
	case low >= 'a' && low <= 'f':
		low -= 'a' - 10
	default:
		return 0, false
	}
	return (rest[3]-'0')<<4 | low, true
}

func hasShortEscape(code byte) bool {
	return code == '\b' || code == '\t' || code == '\n' || code == '\f' || code == '\r'
}

// unescaped is a text that was scanned before, without its escapes.
func unescaped(raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw
	}
	plain := make([]byte, 0, len(raw))
	for at := 0; at < len(raw); at++ {
		if raw[at] != '\\' {
			plain = append(plain, raw[at])
			continue
		}
		at++
		if short := shortEscapes[raw[at]]; short != 0 {
			plain = append(plain, short)
			continue
		}
		code, _ := unicodeEscape(raw[at:])
		plain = append(plain, code)
		at += 4
	}
	return plain
}

func isDigit(b byte) bool {
	return '0' <= b && b <= '9'
}
