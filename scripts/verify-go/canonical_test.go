package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"testing"
)

func nothing(_, _ []byte) error { return nil }

func TestCanonicalObjectsAreAccepted(t *testing.T) {
	for _, text := range []string{
		`{}`,
		`{"a":1,"b":[1,-2,{"c":null,"d":[]}],"e":true,"f":false}`,
		`{"":"empty key","A":"capitals first","a":0}`,
		`{"a":"清零 é 😀 \u0001\u001f\b\t\n\f\r\"\\/` + "\x7f\u2028" + `"}`,
		`{"\"":1,"\\":2}`,
		`{"a":9007199254740991,"b":-9007199254740991}`,
		`{"a":` + strings.Repeat("[", maxDepth-1) + strings.Repeat("]", maxDepth-1) + `}`,
	} {
		if err := eachMember([]byte(text), nothing); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestOtherSpellingsAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                "",
		"no object":              `[]`,
		"white space":            `{"a": 1}`,
		"white space behind":     "{}\n",
		"keys out of order":      `{"b":1,"a":2}`,
		"a key twice":            `{"a":1,"a":1}`,
		"keys nested":            `{"a":{"c":1,"b":2}}`,
		"a key not ASCII":        `{"é":1}`,
		"a key by its escape":    `{"\u0061":1}`,
		"a float":                `{"a":1.5}`,
		"an exponent":            `{"a":1e2}`,
		"a leading zero":         `{"a":01}`,
		"a negative zero":        `{"a":-0}`,
		"a bare minus":           `{"a":-}`,
		"a plus":                 `{"a":+1}`,
		"beyond 2^53":            `{"a":9007199254740992}`,
		"far beyond":             `{"a":99999999999999999999}`,
		"a solidus escaped":      `{"a":"\/"}`,
		"a letter escaped":       `{"a":"\u0041"}`,
		"a tab by its number":    `{"a":"\u0009"}`,
		"capital hexadecimal":    `{"a":"\u001F"}`,
		"half a surrogate pair":  `{"a":"\ud800"}`,
		"half an escape":         `{"a":"\u00`,
		"a raw control":          "{\"a\":\"\x01\"}",
		"not UTF-8":              "{\"a\":\"\xff\"}",
		"a comma too many":       `{"a":1,}`,
		"a comma in front":       `{,"a":1}`,
		"a comma in a list":      `{"a":[1,]}`,
		"a list not ended":       `{"a":[1`,
		"a text not ended":       `{"a":"b`,
		"an object not ended":    `{"a":1`,
		"something behind":       `{}{}`,
		"a literal cut short":    `{"a":tru}`,
		"capitals":               `{"a":True}`,
		"nested without measure": `{"a":` + strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth) + `}`,
	} {
		if err := eachMember([]byte(text), nothing); err == nil {
			t.Errorf("%s: %.60s is accepted", name, text)
		}
	}
}

func TestMembersComeAsTheyRead(t *testing.T) {
	var got []string
	err := eachMember([]byte(`{"\"":"a\u0001\n\"\\清","b":[1,2]}`), func(key, value []byte) error {
		text, err := textOf(value)
		got = append(got, string(key), text, fmt.Sprint(err == nil))
		return nil
	})
	expected := []string{`"`, "a\x01\n\"\\清", "true", "b", "", "false"}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(expected) {
		t.Errorf("%q, %v", got, err)
	}
}

// FuzzCanonical holds the scanner against decoding and encoding again, which it stands for.
func FuzzCanonical(f *testing.F) {
	for _, text := range []string{`{}`, `{"a":[1,-2,{"b":"c\n"}]}`, `{"a":1,"a":1}`, `{"a":1.0}`, `{"b":0,"a":"\u001f"}`, `{"":"\u0007清"}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > maxDepth {
			return // encoding/json goes deeper
		}
		var value any
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		readable := decoder.Decode(&value) == nil
		_, isObject := value.(map[string]any)
		again, encodes := encoded(value)
		canonical := readable && isObject && encodes && bytes.Equal(again, data)
		if err := eachMember(data, nothing); (err == nil) != canonical {
			t.Errorf("%q: canonical: %v, the scanner says %v", data, canonical, err)
		}
	})
}

// encoded writes what encoding/json decoded, by RFC 8785; false for what no log holds.
func encoded(value any) ([]byte, bool) {
	switch value := value.(type) {
	case nil:
		return []byte("null"), true
	case bool:
		return []byte(strconv.FormatBool(value)), true
	case json.Number:
		number, err := strconv.ParseInt(value.String(), 10, 64)
		return []byte(strconv.FormatInt(number, 10)), err == nil && -maxInteger <= number && number <= maxInteger
	case string:
		return quoted(value), true
	case []any:
		text := []byte("[")
		for i, item := range value {
			part, ok := encoded(item)
			if !ok {
				return nil, false
			}
			if i > 0 {
				text = append(text, ',')
			}
			text = append(text, part...)
		}
		return append(text, ']'), true
	default:
		return encodedObject(value.(map[string]any))
	}
}

func encodedObject(object map[string]any) ([]byte, bool) {
	var keys []string
	for key := range object {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	text := []byte("{")
	for i, key := range keys {
		part, ok := encoded(object[key])
		for _, letter := range key {
			ok = ok && letter < 0x80
		}
		if !ok {
			return nil, false
		}
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(append(text, quoted(key)...), ':'), part...)
	}
	return append(text, '}'), true
}

func quoted(text string) []byte {
	quoted := []byte{'"'}
	for i := 0; i < len(text); i++ {
		letter := text[i]
		if at := strings.IndexByte("\b\t\n\f\r\"\\", letter); at >= 0 {
			quoted = append(quoted, '\\', `btnfr"\`[at])
		} else if letter < 0x20 {
			quoted = append(quoted, fmt.Sprintf(`\u%04x`, letter)...)
		} else {
			quoted = append(quoted, letter)
		}
	}
	return append(quoted, '"')
}
