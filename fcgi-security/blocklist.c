#include <stdlib.h>
#include <string.h>

#include "blocklist.h"

/* In the order of strcmp(3), in lower case, none longer than LONGEST.  All have at least 8
 * characters: the usual minimum length refuses the others. */
static const char *const words[] = {
    "00000000",     "000000000",    "0000000000",    "0123456789",     "0987654321",
    "10203040",     "11111111",     "111111111",     "1111111111",     "11223344",
    "1122334455",   "112233445566", "12121212",      "123123123",      "123321123",
    "12341234",     "12344321",     "12345678",      "123456780",      "123456789",
    "1234567890",   "1234567891",   "12345678910",   "123456789a",     "12345678a",
    "12345679",     "123456qwerty", "12345qwert",    "1234qwer",       "123654789",
    "123qweasd",    "13131313",     "147258369",     "159357159",      "1q2w3e4r",
    "1q2w3e4r5t",   "1q2w3e4r5t6y", "1qaz2wsx",      "1qaz2wsx3edc",   "1qazxsw2",
    "22222222",     "33333333",     "44444444",      "55555555",       "66666666",
    "741852963",    "77777777",     "789456123",     "87654321",       "88888888",
    "987654321",    "9876543210",   "99999999",      "a12345678",      "a123456789",
    "aa123456",     "aa12345678",   "abc12345",      "abc123456",      "abcd1234",
    "abcdefg1",     "abcdefgh",     "access14",      "admin123",       "admin1234",
    "admin12345",   "adminadmin",   "administrator", "administrator1", "alexander",
    "anthony1",     "arsenal1",     "asdf1234",      "asdfasdf",       "asdfghjk",
    "asdfghjkl",    "asdfghjkl1",   "asshole1",      "autumn2024",     "autumn2025",
    "azerty123",    "azertyuiop",   "babygirl",      "babygirl1",      "baseball",
    "baseball1",    "basketball",   "batman123",     "benjamin",       "blink182",
    "butterfly",    "changeme",     "changeme1",     "changeme123",    "charlie1",
    "chelsea1",     "chocolate",    "christian",     "computer",       "corvette",
    "cupcakes",     "daniel123",    "december",      "default1",       "dragon12",
    "dragon123",    "einstein",     "elizabeth",     "facebook",       "facebook1",
    "ferrari1",     "football",     "football1",     "friends1",       "fuckyou1",
    "fuckyou2",     "google123",    "guest123",      "ilovegod",       "iloveyou",
    "iloveyou!",    "iloveyou1",    "iloveyou2",     "internet",       "january1",
    "jennifer",     "jessica1",     "jonathan",      "letmein1",       "letmein123",
    "letmeinnow",   "linkedin",     "liverpool",     "liverpool1",     "login123",
    "lovelove",     "loveyou1",     "master123",     "mercedes",       "metallica",
    "michael1",     "michelle",     "minecraft",     "monkey12",       "monkey123",
    "motherfucker", "mustang1",     "mypassword",    "newpassword",    "nintendo",
    "november",     "p@55w0rd",     "p@ssw0rd",      "p@ssword",       "pa$$w0rd",
    "pa$$word",     "passw0rd",     "password",      "password!",      "password01",
    "password1",    "password1!",   "password12",    "password123",    "password1234",
    "password2",    "password99",   "passwort",      "passwort1",      "playstation",
    "pokemon1",     "pokemon123",   "princess",      "princess1",      "q1w2e3r4",
    "q1w2e3r4t5",   "qazwsxedc",    "qweasdzxc",     "qwer1234",       "qwerqwer",
    "qwerty12",     "qwerty123",    "qwerty1234",    "qwerty12345",    "qwerty123456",
    "qwertyui",     "qwertyuiop",   "qwertyuiop123", "qwertzuiop",     "root1234",
    "rootroot",     "samantha",     "samsung1",      "secret123",      "september",
    "shadow12",     "shadow123",    "slipknot",      "spiderman",      "spring2024",
    "spring2025",   "starwars",     "starwars1",     "summer2023",     "summer2024",
    "summer2025",   "sunshine",     "sunshine1",     "superman",       "superman1",
    "sweetheart",   "temp1234",     "temporary",     "test1234",       "testing1",
    "testing123",   "testtest",     "topsecret",     "trustno1",       "user1234",
    "username",     "victoria",     "welcome1",      "welcome1!",      "welcome12",
    "welcome123",   "whatever",     "whatever1",     "winter2023",     "winter2024",
    "winter2025",   "yourpassword", "zaq12wsx",      "zxcvbnm1",       "zxcvbnm123",
};

enum { WORDS = sizeof(words) / sizeof(words[0]), LONGEST = 31 };

static int compare(const void *key, const void *member)
{
	return strcmp(key, *(const char *const *)member);
}

bool blocklist_has(const char *password, size_t len)
{
	char lower[LONGEST + 1];

	if (len > LONGEST)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = password[i];

		lower[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
	}
	lower[len] = '\0';
	return strlen(lower) == len &&
	       bsearch(lower, (const void *)words, WORDS, sizeof(words[0]), compare) != NULL;
}
