package main

import (
	"strings"
	"testing"
)

// The vectors of a log and a witness that share a seed (000102…1f); both lines were checked with other implementations.
const (
	vectorText   = "audit.example.org/log1\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n"
	vectorLog    = "audit.example.org/log1+17846be1+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
	vectorSigned = "— audit.example.org/log1 F4Rr4XZtMSn4D9GVe8xsw0IwIK2fYlck2FoOn5VfHAdgOXy8lQc9Cju+FyCm18QHg0vI8tZXujC7PxtoxlfAXzw1gg8=\n"
	vectorSaw    = "witness.example.org/w1+cfcd1a67+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
	vectorTime   = 1767225600
	vectorCosign = "— witness.example.org/w1 z80aZwAAAABpVbkA5MFyGug+nCt0LAFLRoiw1PmI1a006mXxHqv+pbLg6S+1CS4q6YGznZdXFG3Ti3sek0pP0zC7Y41SZX83yIk1DA==\n"
	vectorPolicy = "log " + vectorLog + "\nwitness w " + vectorSaw + "\nquorum w\n"
)

func TestTheVectorsOpen(t *testing.T) {
	policy, err := parsePolicy([]byte(vectorPolicy))
	if err != nil {
		t.Fatal(err)
	}
	head, err := policy.open([]byte(vectorText + "\n" + vectorSigned + vectorCosign))
	if err != nil {
		t.Fatal(err)
	}
	if head.origin != "audit.example.org/log1" || head.size != 8 || len(head.signers) != 1 || len(head.cosignatures) != 1 ||
		head.cosignatures[0].at.Unix() != vectorTime || !head.witnessed {
		t.Errorf("%+v", head)
	}
}

func TestACheckpointWithAnyBitChangedIsRefused(t *testing.T) {
	policy, _ := parsePolicy([]byte(vectorPolicy))
	note := []byte(vectorText + "\n" + vectorSigned + vectorCosign)
	for at := range note {
		for bit := 0; bit < 8; bit++ {
			note[at] ^= 1 << bit
			if _, err := policy.open(note); err == nil {
				t.Errorf("bit %d of byte %d", bit, at)
			}
			note[at] ^= 1 << bit
		}
	}
}

func TestNotesThatAreNone(t *testing.T) {
	policy, _ := parsePolicy([]byte(vectorPolicy))
	for name, note := range map[string]string{
		"nothing":            "",
		"no signature":       vectorText + "\n",
		"no empty line":      vectorText + vectorSigned + vectorCosign,
		"no last newline":    strings.TrimSuffix(vectorText+"\n"+vectorSigned+vectorCosign, "\n"),
		"only the witness":   vectorText + "\n" + vectorCosign,
		"only the log":       vectorText + "\n" + vectorSigned,
		"too many lines":     vectorText + "\n" + vectorSigned + strings.Repeat(vectorCosign, 100),
		"a line of nonsense": vectorText + "\n" + vectorSigned + vectorCosign + "x\n",
		"a second cosignature of the witness that does not verify": vectorText + "\n" + vectorSigned + vectorCosign +
			strings.Replace(vectorCosign, "pVbkA", "pVbkB", 1),
	} {
		if _, err := policy.open([]byte(note)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestLinesOfStrangersCountForNothing(t *testing.T) {
	policy, _ := parsePolicy([]byte("log " + vectorLog + "\nquorum none\n"))
	stranger := strings.Replace(vectorCosign, "z80aZ", "z80aa", 1)
	head, err := policy.open([]byte(vectorText + "\n" + stranger + vectorSigned + vectorCosign))
	if err != nil || len(head.cosignatures) != 0 || head.witnessed {
		t.Errorf("%+v, %v", head, err)
	}
}

func TestKeysHaveOneSpelling(t *testing.T) {
	for _, vkey := range []string{
		"", "a", "a+b", vectorLog + "\n", strings.ToUpper(vectorLog), strings.Replace(vectorLog, "17846be1", "17846be2", 1),
		strings.TrimSuffix(vectorLog, "4") + "5", vectorSaw, strings.Replace(vectorLog, "audit", "Audit", 1),
	} {
		if _, err := logKey(vkey); err == nil {
			t.Errorf("%q is a key", vkey)
		}
	}
	if _, err := logKey(vectorLog); err != nil {
		t.Error(err)
	}
}

func TestGroupsCountMembersOnce(t *testing.T) {
	w := func(names ...string) map[string]bool {
		set := make(map[string]bool)
		for _, name := range names {
			set[name] = true
		}
		return set
	}
	p := policy{
		groups: []group{{"city", 2, []string{"a", "b", "c"}}, {"all", 2, []string{"city", "d"}}},
		quorum: "all",
	}
	for _, each := range []struct {
		cosigned map[string]bool
		met      bool
	}{
		{w(), false}, {w("a", "b"), false}, {w("a", "d"), false}, {w("a", "b", "d"), true}, {w("a", "b", "c"), false},
		{w("stranger", "d"), false},
	} {
		if p.isMetBy(each.cosigned) != each.met {
			t.Errorf("%v: %v", each.cosigned, !each.met)
		}
	}
}

func FuzzPolicy(f *testing.F) {
	f.Add([]byte(vectorPolicy))
	f.Add([]byte("# c\n\tgroup g any a b\nquorum none\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if policy, err := parsePolicy(data); err == nil && policy.isMetBy(nil) && policy.quorum != noQuorum {
			t.Errorf("%q asks for nobody", data)
		}
	})
}
