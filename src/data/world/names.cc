#include "data/world/names.h"

namespace malssi::world {

const std::vector<PersonName>& person_names() {
  static const std::vector<PersonName> names = {
      {{"Mina", "미나"}, true},     {{"Junho", "준호"}, false},  {{"Sora", "소라"}, true},
      {{"Minseok", "민석"}, false}, {{"Haneul", "하늘"}, true},  {{"Taeo", "태오"}, false},
      {{"Arin", "아린"}, true},     {{"Doyun", "도윤"}, false},  {{"Yuri", "유리"}, true},
      {{"Jiho", "지호"}, false},    {{"Eunbi", "은비"}, true},   {{"Hyunu", "현우"}, false},
      {{"Dana", "다나"}, true},     {{"Gaon", "가온"}, false},   {{"Suah", "수아"}, true},
      {{"Woojin", "우진"}, false},  {{"Yena", "예나"}, true},    {{"Siwoo", "시우"}, false},
      {{"Boram", "보람"}, true},    {{"Kangin", "강인"}, false}, {{"Roa", "로아"}, true},
      {{"Seonho", "선호"}, false},  {{"Gyuri", "규리"}, true},   {{"Hansol", "한솔"}, false},
      {{"Chorong", "초롱"}, true},  {{"Maru", "마루"}, false},   {{"Nayeon", "나연"}, true},
      {{"Jaein", "재인"}, false},
  };
  return names;
}

const std::vector<Term>& strangers() {
  static const std::vector<Term> names = {
      {"Peter", "피터"},    {"Alice", "앨리스"}, {"Robert", "로버트"}, {"Emma", "에마"},
      {"Oscar", "오스카"},  {"Laura", "로라"},   {"Victor", "빅터"},   {"Helen", "헬렌"},
      {"Daniel", "다니엘"}, {"Clara", "클라라"}, {"Thomas", "토머스"}, {"Sofia", "소피아"},
  };
  return names;
}

const std::vector<Term>& place_names() {
  static const std::vector<Term> names = {
      {"Hanbit", "한빛 마을"},   {"Dolsan", "돌산 마을"},   {"Narae", "나래 마을"},
      {"Solbat", "솔밭 마을"},   {"Dalseong", "달성 마을"}, {"Onsu", "온수 마을"},
      {"Areum", "아름 마을"},    {"Dorim", "도림 마을"},    {"Moran", "모란 마을"},
      {"Cheongna", "청라 마을"},
  };
  return names;
}

const std::vector<Term>& jobs() {
  static const std::vector<Term> names = {
      {"baker", "제빵사"},  {"teacher", "선생님"},      {"doctor", "의사"},
      {"painter", "화가"},  {"fisher", "어부"},         {"gardener", "정원사"},
      {"singer", "가수"},   {"carpenter", "목수"},      {"farmer", "농부"},
      {"writer", "작가"},   {"pilot", "조종사"},        {"nurse", "간호사"},
      {"tailor", "재단사"}, {"cook", "요리사"},         {"librarian", "사서"},
      {"potter", "도예가"}, {"driver", "운전사"},       {"judge", "판사"},
      {"dancer", "무용수"}, {"photographer", "사진사"}, {"firefighter", "소방관"},
      {"reporter", "기자"}, {"engineer", "기술자"},     {"actor", "배우"},
      {"miner", "광부"},    {"barber", "이발사"},       {"soldier", "군인"},
      {"shepherd", "목동"},
  };
  return names;
}

const std::vector<Term>& foods() {
  static const std::vector<Term> names = {
      {"dumplings", "만두"},      {"noodles", "국수"},        {"bread", "빵"},
      {"pumpkin soup", "호박죽"}, {"rice cakes", "떡"},       {"strawberries", "딸기"},
      {"pancakes", "부침개"},     {"corn", "옥수수"},         {"watermelon", "수박"},
      {"fried rice", "볶음밥"},   {"seaweed soup", "미역국"}, {"tomatoes", "토마토"},
  };
  return names;
}

const std::vector<Term>& hobbies() {
  static const std::vector<Term> names = {
      {"swimming", "수영"},   {"fishing", "낚시"}, {"reading", "독서"},     {"chess", "체스"},
      {"dancing", "춤"},      {"singing", "노래"}, {"hiking", "등산"},      {"cooking", "요리"},
      {"knitting", "뜨개질"}, {"drawing", "그림"}, {"skating", "스케이트"}, {"cycling", "사이클"},
  };
  return names;
}

const std::vector<Term>& species() {
  static const std::vector<Term> names = {
      {"dog", "개"},      {"cat", "고양이"},     {"rabbit", "토끼"}, {"parrot", "앵무새"},
      {"turtle", "거북"}, {"hamster", "햄스터"}, {"duck", "오리"},   {"goat", "염소"},
  };
  return names;
}

const std::vector<Term>& pet_names() {
  static const std::vector<Term> names = {
      {"Bori", "보리"},   {"Kong", "콩"},     {"Byeol", "별"},   {"Dubu", "두부"},
      {"Tori", "토리"},   {"Gureum", "구름"}, {"Haru", "하루"},  {"Mongi", "몽이"},
      {"Bam", "밤"},      {"Nabi", "나비"},   {"Somi", "소미"},  {"Podo", "포도"},
      {"Coco", "코코"},   {"Ruru", "루루"},   {"Choco", "초코"}, {"Bibi", "비비"},
      {"Sundol", "순돌"}, {"Dori", "도리"},   {"Momo", "모모"},  {"Latte", "라떼"},
      {"Kiwi", "키위"},   {"Danchu", "단추"}, {"Sol", "솔"},     {"Jelly", "젤리"},
      {"Toto", "토토"},   {"Namu", "나무"},   {"Pupu", "푸푸"},  {"Geum", "금"},
  };
  return names;
}

const std::vector<Term>& things() {
  static const std::vector<Term> names = {
      {"bicycle", "자전거"},  {"umbrella", "우산"},    {"guitar", "기타"},   {"lamp", "램프"},
      {"clock", "시계"},      {"boat", "배"},          {"tent", "텐트"},     {"piano", "피아노"},
      {"camera", "카메라"},   {"kite", "연"},          {"drum", "북"},       {"hat", "모자"},
      {"ladder", "사다리"},   {"mirror", "거울"},      {"chair", "의자"},    {"bag", "가방"},
      {"violin", "바이올린"}, {"telescope", "망원경"}, {"cart", "수레"},     {"teapot", "찻주전자"},
      {"basket", "바구니"},   {"scarf", "목도리"},     {"flute", "피리"},    {"sled", "썰매"},
      {"desk", "책상"},       {"carpet", "양탄자"},    {"wardrobe", "옷장"}, {"blanket", "담요"},
  };
  return names;
}

const std::vector<Term>& colours() {
  static const std::vector<Term> names = {
      {"red", "빨간색"},    {"blue", "파란색"}, {"green", "초록색"},
      {"yellow", "노란색"}, {"pink", "분홍색"}, {"purple", "보라색"},
  };
  return names;
}

const std::vector<Term>& coats() {
  static const std::vector<Term> names = {
      {"white", "하얀색"}, {"black", "검은색"}, {"brown", "갈색"}, {"grey", "회색"}};
  return names;
}

const std::vector<Term>& toys() {
  static const std::vector<Term> names = {
      {"ball", "공"}, {"rope", "밧줄"}, {"stick", "막대기"}, {"bell", "방울"}, {"box", "상자"}};
  return names;
}

const std::vector<Deed>& deeds() {
  static const std::vector<Deed> list = {
      {"planted an apple tree", "plant an apple tree", "사과나무를 심었"},
      {"built a bridge", "build a bridge", "다리를 놓았"},
      {"won a race", "win a race", "달리기에서 이겼"},
      {"wrote a song", "write a song", "노래를 지었"},
      {"climbed a mountain", "climb a mountain", "산에 올랐"},
      {"found a gold coin", "find a gold coin", "금화를 찾았"},
      {"painted a fence", "paint a fence", "울타리를 칠했"},
      {"baked a giant cake", "bake a giant cake", "커다란 케이크를 구웠"},
      {"caught a shark", "catch a shark", "상어를 잡았"},
      {"saved a bird", "save a bird", "새를 구했"},
      {"repaired a roof", "repair a roof", "지붕을 고쳤"},
      {"opened a shop", "open a shop", "가게를 열었"},
      {"bought a horse", "buy a horse", "말을 샀"},
      {"visited an island", "visit an island", "섬에 다녀왔"},
      {"made a snowman", "make a snowman", "눈사람을 만들었"},
      {"sold a house", "sell a house", "집을 팔았"},
      {"lost a ring", "lose a ring", "반지를 잃어버렸"},
      {"drew a map", "draw a map", "지도를 그렸"},
      {"grew a melon", "grow a melon", "참외를 키웠"},
      {"crossed a desert", "cross a desert", "사막을 건넜"},
      {"dug a well", "dig a well", "우물을 팠"},
      {"met a king", "meet a king", "왕을 만났"},
      {"flew a balloon", "fly a balloon", "풍선을 날렸"},
      {"broke a window", "break a window", "창문을 깼"},
      {"sewed a flag", "sew a flag", "깃발을 꿰맸"},
      {"told a ghost story", "tell a ghost story", "귀신 이야기를 했"},
      {"sent a parcel", "send a parcel", "소포를 보냈"},
      {"tamed a fox", "tame a fox", "여우를 길들였"},
  };
  return list;
}

const std::vector<Term>& seasons() {
  static const std::vector<Term> names = {
      {"spring", "봄"}, {"summer", "여름"}, {"autumn", "가을"}, {"winter", "겨울"}};
  return names;
}

const std::vector<Term>& sights() {
  static const std::vector<Term> names = {
      {"old mill", "방앗간"},       {"clock tower", "시계탑"},
      {"stone bridge", "돌다리"},   {"lighthouse", "등대"},
      {"glass museum", "박물관"},   {"big market", "시장"},
      {"rose garden", "장미 정원"}, {"hot spring", "온천"},
      {"wooden temple", "절"},      {"castle", "성"},
  };
  return names;
}

const std::vector<Term>& natures() {
  static const std::vector<Term> names = {{"the river", "강"},   {"the lake", "호수"},
                                          {"the sea", "바다"},   {"the forest", "숲"},
                                          {"the hills", "언덕"}, {"the valley", "골짜기"}};
  return names;
}

const std::vector<Term>& finds() {
  static const std::vector<Term> names = {
      {"a silver key", "은 열쇠"},       {"an old letter", "낡은 편지"},
      {"a wooden spoon", "나무 숟가락"}, {"a blue feather", "파란 깃털"},
      {"a big shell", "큰 조개"},        {"a lost shoe", "신발 한 짝"},
      {"a warm egg", "따뜻한 알"},       {"a glass bead", "유리구슬"},
      {"a small bone", "작은 뼈"},       {"a gold button", "금 단추"},
  };
  return names;
}

const std::vector<Term>& spots() {
  static const std::vector<Term> names = {
      {"under a stone", "돌 밑"},   {"behind a tree", "나무 뒤"}, {"in the grass", "풀밭"},
      {"near the well", "우물 옆"}, {"on the path", "길 위"},     {"under a bench", "긴 의자 밑"},
      {"in the sand", "모래 속"},   {"behind a wall", "담 뒤"},
  };
  return names;
}

const std::vector<Term>& times() {
  static const std::vector<Term> names = {
      {"one rainy morning", "비 오는 아침"},     {"one sunny day", "맑은 날"},
      {"one windy afternoon", "바람 부는 오후"}, {"one quiet evening", "조용한 저녁"},
      {"one cold morning", "추운 아침"},         {"one Sunday", "일요일"},
  };
  return names;
}

}  // namespace malssi::world
