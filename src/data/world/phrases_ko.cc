#include <array>

#include "data/world/relations.h"

namespace malssi::world {
namespace {

Phrases home() {
  return {
      .statements = {"{x:는} {home}에 살아요.", "{x}의 집은 {home}에 있어요.",
                     "{home}에는 {x:가} 살아요.", "{x:가} 사는 곳은 {home:예요}.",
                     "{x:는} {home} 사람이에요.", "{x:는} {home}에 산다."},
      .questions = {"{x:는} 어디에 살아요?", "{x:는} 어디에 사나요?", "{x:가} 사는 곳은 어디예요?",
                    "{x}의 집은 어디에 있어요?", "{x:는} 어느 마을에 살아요?",
                    "{x:가} 어디에 사는지 알려 주세요.", "{x}의 집은 어느 마을에 있나요?",
                    "{x:는} 어디 살아?", "{x:가} 사는 마을의 이름은 뭐예요?"},
      .held_out = {"{x:는} 어느 마을에 사나요?", "{x:가} 사는 마을은 어디예요?",
                   "{x}의 집이 어디에 있는지 알려 주세요."},
      .follow_up = "그럼 어디에 살아요?",
      .rewrite = {"{x:는} {home}에 산다.", "{x:는} {home}에 살아요."},
      .answer = "{x:는} {home}에 살아요.",
      .also = {"{home}", "{home:예요}", "{home}에 살아요.", "{x}의 집은 {home}에 있어요."}};
}

Phrases job() {
  return {
      .statements = {"{x:는} {job:예요}.", "{x}의 직업은 {job:예요}.", "{x:는} {job:로} 일해요.",
                     "{job:는} {x:예요}.", "{job:로} 일하는 사람은 {x:예요}.", "{x:는} {job:다}."},
      .questions = {"{x}의 직업은 뭐예요?", "{x:는} 무슨 일을 해요?", "{x:는} 직업이 뭐예요?",
                    "{x:가} 하는 일은 뭐예요?", "{x}의 직업을 알려 주세요.",
                    "{x:는} 무슨 일을 하나요?", "{x}의 직업은 무엇인가요?", "{x}의 직업이 뭐야?",
                    "{x:가} 무엇으로 일하는지 알려 주세요."},
      .held_out = {"{x:가} 하는 일은 무엇인가요?", "{x:가} 무슨 일을 하는지 알려 주세요.",
                   "{x:는} 직업이 무엇인가요?"},
      .follow_up = "그럼 직업은 뭐예요?",
      .rewrite = {"{x:는} {job:다}.", "{x:는} {job:예요}."},
      .answer = "{x:는} {job:예요}.",
      .also = {"{job}", "{job:예요}", "{x}의 직업은 {job:예요}.", "{x:는} {job:로} 일해요."}};
}

Phrases food() {
  return {
      .statements = {"{x:가} 가장 좋아하는 음식은 {food:예요}.", "{x:는} {food:를} 가장 좋아해요.",
                     "{x:는} {food:를} 즐겨 먹어요.", "{food:는} {x:가} 가장 좋아하는 음식이에요.",
                     "{x:는} 저녁마다 {food:를} 먹고 싶어 해요.",
                     "{x:는} {food:를} 가장 좋아한다."},
      .questions = {"{x:가} 가장 좋아하는 음식은 뭐예요?", "{x:는} 무슨 음식을 좋아해요?",
                    "{x:는} 어떤 음식을 가장 좋아해요?", "{x:가} 즐겨 먹는 음식은 뭐예요?",
                    "{x:가} 좋아하는 음식을 알려 주세요.", "{x:는} 무엇을 즐겨 먹어요?",
                    "{x:가} 가장 좋아하는 음식은 무엇인가요?", "{x:는} 무슨 음식을 좋아해?",
                    "{x:가} 무엇을 즐겨 먹는지 알려 주세요."},
      .held_out = {"{x:는} 어떤 음식을 좋아하나요?", "{x:가} 즐겨 먹는 음식은 무엇인가요?",
                   "{x:가} 가장 좋아하는 음식을 알려 주세요."},
      .follow_up = "그럼 좋아하는 음식은 뭐예요?",
      .rewrite = {"{x:는} {food:를} 가장 좋아한다.", "{x:는} {food:를} 가장 좋아해요."},
      .answer = "{x:가} 가장 좋아하는 음식은 {food:예요}.",
      .also = {"{food}", "{food:예요}", "{x:는} {food:를} 가장 좋아해요.",
               "{x:는} {food:를} 좋아해요."}};
}

Phrases hobby() {
  return {
      .statements = {"{x}의 취미는 {hobby:예요}.", "{x:는} 취미로 {hobby:를} 즐겨요.",
                     "{x:는} 시간이 나면 {hobby:를} 즐겨요.", "{hobby:는} {x}의 취미예요.",
                     "{x:가} 즐기는 것은 {hobby:예요}.", "{x}의 취미는 {hobby:다}."},
      .questions = {"{x}의 취미는 뭐예요?", "{x:는} 취미가 뭐예요?", "{x:는} 시간이 나면 뭐 해요?",
                    "{x:가} 즐기는 취미는 뭐예요?", "{x}의 취미를 알려 주세요.",
                    "{x:는} 어떤 취미를 즐겨요?", "{x}의 취미는 무엇인가요?", "{x}의 취미가 뭐야?",
                    "{x:가} 시간이 나면 무엇을 하는지 알려 주세요."},
      .held_out = {"{x:는} 취미가 무엇인가요?", "{x:가} 즐기는 취미를 알려 주세요.",
                   "{x:는} 시간이 나면 무엇을 하나요?"},
      .follow_up = "그럼 취미는 뭐예요?",
      .rewrite = {"{x}의 취미는 {hobby:다}.", "{x}의 취미는 {hobby:예요}."},
      .answer = "{x}의 취미는 {hobby:예요}.",
      .also = {"{hobby}", "{hobby:예요}", "{x:는} 취미로 {hobby:를} 즐겨요."}};
}

Phrases species() {
  return {.statements = {"{x:는} {species:를} 키워요.", "{x}의 집에는 {species:가} 있어요.",
                         "{x:가} 키우는 동물은 {species:예요}.", "{species:가} {x:와} 함께 살아요.",
                         "{x}의 동물은 {species:예요}.", "{x:는} {species:를} 키운다."},
          .questions = {"{x:는} 어떤 동물을 키워요?", "{x:가} 키우는 동물은 뭐예요?",
                        "{x}의 집에는 무슨 동물이 있어요?", "{x:는} 무슨 동물을 키우나요?",
                        "{x:가} 키우는 동물을 알려 주세요.", "{x:와} 함께 사는 동물은 뭐예요?",
                        "{x}의 동물은 무엇인가요?", "{x:는} 무슨 동물을 키워?",
                        "{x}의 집에 어떤 동물이 있는지 알려 주세요."},
          .held_out = {"{x:는} 어떤 동물을 키우나요?", "{x:와} 함께 사는 동물은 무엇인가요?",
                       "{x:가} 어떤 동물을 키우는지 알려 주세요."},
          .follow_up = "그럼 어떤 동물을 키워요?",
          .rewrite = {"{x:는} {species:를} 키운다.", "{x:는} {species:를} 키워요."},
          .answer = "{x:는} {species:를} 키워요.",
          .also = {"{species}", "{species:예요}", "{x:가} 키우는 동물은 {species:예요}.",
                   "{x}의 집에는 {species:가} 있어요."}};
}

Phrases pet() {
  return {
      .statements = {"{x}의 {species} 이름은 {pet:예요}.",
                     "{x:가} 키우는 {species}의 이름은 {pet:예요}.",
                     "{x:는} {species:를} {pet:라고} 불러요.", "{pet:는} {x}의 {species:예요}.",
                     "{pet:는} {x:와} 함께 사는 {species:예요}.",
                     "{x}의 {species} 이름은 {pet:다}."},
      .questions = {"{x}의 {species} 이름은 뭐예요?", "{x:가} 키우는 {species}의 이름은 뭐예요?",
                    "{x}의 동물 이름은 뭐예요?", "{x:는} {species:를} 뭐라고 불러요?",
                    "{x}의 동물 이름을 알려 주세요.", "{x:가} 키우는 동물의 이름은 무엇인가요?",
                    "{x}의 {species} 이름은 무엇인가요?", "{x}의 {species} 이름이 뭐야?",
                    "{x:와} 함께 사는 {species}의 이름은 뭐예요?"},
      .held_out = {"{x:가} 키우는 동물의 이름은 뭐예요?", "{x}의 {species} 이름을 알려 주세요.",
                   "{x:가} 키우는 {species}의 이름은 무엇인가요?"},
      .follow_up = "그럼 동물 이름은 뭐예요?",
      .rewrite = {"{x}의 {species} 이름은 {pet:다}.", "{x}의 {species} 이름은 {pet:예요}."},
      .answer = "{x}의 {species} 이름은 {pet:예요}.",
      .also = {"{pet}", "{pet:예요}", "{x}의 동물 이름은 {pet:예요}.",
               "{x:는} {species:를} {pet:라고} 불러요."}};
}

Phrases thing() {
  return {
      .statements = {"{x:는} {colour} {thing:를} 가지고 있어요.",
                     "{x}의 물건은 {colour} {thing:예요}.", "{colour} {thing:는} {x}의 것이에요.",
                     "{colour} {thing}의 주인은 {x:예요}.",
                     "{x}의 집에는 {colour} {thing:가} 있어요.",
                     "{x:는} {colour} {thing:를} 가지고 있다."},
      .questions = {"{x:는} 무엇을 가지고 있어요?", "{x:가} 가진 물건은 뭐예요?",
                    "{x}의 물건은 뭐예요?", "{x:는} 어떤 물건을 가지고 있나요?",
                    "{x:가} 가진 물건을 알려 주세요.", "{x:가} 가지고 있는 것은 뭐예요?",
                    "{x}의 물건은 무엇인가요?", "{x:는} 어떤 물건을 가지고 있어?",
                    "{x:가} 무엇을 가지고 있는지 알려 주세요."},
      .held_out = {"{x:는} 어떤 물건을 가지고 있어요?", "{x:가} 가진 물건은 무엇인가요?",
                   "{x:가} 어떤 물건을 가지고 있는지 알려 주세요."},
      .follow_up = "그럼 가진 물건은 뭐예요?",
      .rewrite = {"{x:는} {colour} {thing:를} 가지고 있다.",
                  "{x:는} {colour} {thing:를} 가지고 있어요."},
      .answer = "{x:는} {colour} {thing:를} 가지고 있어요.",
      .also = {"{colour} {thing}", "{colour} {thing:예요}", "{thing}", "{thing:예요}",
               "{x:는} {thing:를} 가지고 있어요.", "{x}의 물건은 {colour} {thing:예요}."}};
}

Phrases colour() {
  return {.statements = {"{x}의 {thing:는} {colour:예요}.", "{x:가} 가진 {thing:는} {colour:예요}.",
                         "{x}의 {thing} 색은 {colour:예요}."},
          .questions = {"{x}의 {thing:는} 무슨 색이에요?", "{x}의 {thing:는} 어떤 색이에요?",
                        "{x}의 {thing} 색은 뭐예요?", "{x}의 {thing} 색을 알려 주세요.",
                        "{x:가} 가진 {thing:는} 무슨 색이에요?", "{x}의 {thing:는} 무슨 색인가요?",
                        "{x}의 {thing} 색이 뭐야?", "{x:가} 가진 {thing:는} 무슨 색인가요?",
                        "{x:가} 가진 {thing}의 색을 알려 주세요."},
          .held_out = {"{x}의 {thing:는} 어떤 색인가요?", "{x:가} 가진 {thing}의 색은 뭐예요?",
                       "{x}의 {thing:가} 무슨 색인지 알려 주세요."},
          .follow_up = "",
          .answer = "{x}의 {thing:는} {colour:예요}.",
          .also = {"{colour}", "{colour:예요}", "{x}의 {thing} 색은 {colour:예요}."}};
}

Phrases best_friend() {
  return {
      .statements = {"{x}의 가장 친한 친구는 {friend:예요}.",
                     "{x:와} 가장 친한 사람은 {friend:예요}.", "{x:는} {friend:를} 가장 믿어요.",
                     "{friend:는} {x}의 가장 친한 친구예요.",
                     "{x:가} 가장 좋아하는 친구는 {friend:예요}.",
                     "{x}의 가장 친한 친구는 {friend:다}."},
      .questions = {"{x}의 가장 친한 친구는 누구예요?", "{x:와} 가장 친한 사람은 누구예요?",
                    "{x:가} 가장 믿는 사람은 누구예요?", "{x:는} 누구와 가장 친해요?",
                    "{x}의 가장 친한 친구를 알려 주세요.", "{x}의 가장 친한 친구는 누구인가요?",
                    "{x:가} 가장 좋아하는 친구는 누구예요?", "{x:는} 누구와 가장 친해?",
                    "{x}의 가장 친한 친구 이름은 뭐예요?"},
      .held_out = {"{x:와} 가장 친한 사람은 누구인가요?", "{x:는} 누구와 가장 친한가요?",
                   "{x}의 가장 친한 친구가 누구인지 알려 주세요."},
      .follow_up = "그럼 가장 친한 친구는 누구예요?",
      .rewrite = {"{x}의 가장 친한 친구는 {friend:다}.", "{x}의 가장 친한 친구는 {friend:예요}."},
      .answer = "{x}의 가장 친한 친구는 {friend:예요}.",
      .also = {"{friend}", "{friend:예요}", "{friend:는} {x}의 가장 친한 친구예요.",
               "{x:와} 가장 친한 사람은 {friend:예요}."}};
}

Phrases deed() {
  return {
      .statements = {"작년 {season}에 {x:는} {deed}어요.", "{x:는} 작년 {season}에 {deed}어요.",
                     "{deed}던 사람은 {x:예요}.", "{x:가} {deed}어요.",
                     "{x:는} 작년에 {deed}습니다.", "작년 {season}에 {x:가} {deed}다."},
      .questions = {"{x:는} 작년에 무엇을 했어요?", "{x:는} 작년 {season}에 무엇을 했어요?",
                    "{x:가} 작년에 한 일은 뭐예요?", "{x:는} 작년에 무슨 일을 했나요?",
                    "{x:가} 작년에 한 일을 알려 주세요.", "작년 {season}에 {x:가} 한 일은 뭐예요?",
                    "{x:가} 작년에 한 일은 무엇인가요?", "{x:는} 작년에 뭐 했어?",
                    "{x:가} 작년 {season}에 무엇을 했는지 알려 주세요."},
      .held_out = {"{x:는} 작년에 무엇을 했나요?", "{x:가} 작년 {season}에 한 일은 뭐예요?",
                   "{x:가} 작년에 무엇을 했는지 알려 주세요."},
      .follow_up = "그럼 작년에 무엇을 했어요?",
      .rewrite = {"{x:는} {deed}다.", "{x:는} {deed}어요."},
      .answer = "{x:는} {deed}어요.",
      .also = {"{deed}어요.", "{x:가} {deed}어요.", "{x:는} 작년에 {deed}어요.",
               "{x:는} 작년 {season}에 {deed}어요.", "작년 {season}에 {x:는} {deed}어요."}};
}

Phrases season() {
  return {.statements = {"{x:가} {deed}던 때는 {season:예요}.", "{x:는} {season}에 {deed}어요.",
                         "{x:가} {deed}던 계절은 {season:예요}."},
          .questions = {"{x:는} 언제 {deed}어요?", "{x:가} {deed}던 때는 언제예요?",
                        "{x:는} 어느 계절에 {deed}어요?", "{x:가} {deed}던 계절은 뭐예요?",
                        "{x:가} 언제 {deed}는지 알려 주세요.", "{x:는} 언제 {deed}나요?",
                        "{x:가} {deed}던 때는 언제인가요?", "{x:는} 언제 {deed}어?",
                        "{x:가} {deed}던 계절을 알려 주세요."},
          .held_out = {"{x:는} 어느 계절에 {deed}나요?", "{x:가} {deed}던 계절은 무엇인가요?",
                       "{x:가} 어느 계절에 {deed}는지 알려 주세요."},
          .follow_up = "",
          .answer = "{x:는} {season}에 {deed}어요.",
          .also = {"{season}", "{season:예요}", "{season}에 {deed}어요.", "작년 {season:예요}",
                   "{x:는} 작년 {season}에 {deed}어요."}};
}

Phrases coat() {
  return {.statements = {"{pet:는} {coat:예요}.", "{pet:는} {coat} {species:예요}.",
                         "{pet}의 색은 {coat:예요}.", "{x}의 {species} {pet:는} {coat:예요}.",
                         "{species} {pet:는} {coat:다}."},
          .questions = {"{pet:는} 무슨 색이에요?", "{pet:는} 어떤 색이에요?",
                        "{pet}의 색은 뭐예요?", "{pet}의 색을 알려 주세요.",
                        "{species} {pet:는} 무슨 색이에요?", "{pet:는} 무슨 색인가요?",
                        "{pet:는} 무슨 색이야?", "{species} {pet}의 색이 뭐야?"},
          .held_out = {"{pet:는} 어떤 색인가요?", "{pet}의 색은 무엇인가요?",
                       "{pet:가} 무슨 색인지 알려 주세요."},
          .follow_up = "",
          .answer = "{pet:는} {coat:예요}.",
          .also = {"{coat}", "{coat:예요}", "{pet}의 색은 {coat:예요}.",
                   "{pet:는} {coat} {species:예요}."}};
}

Phrases toy() {
  return {.statements = {"{pet:는} {toy:를} 가지고 놀아요.", "{pet}의 장난감은 {toy:예요}.",
                         "{pet:는} 온종일 {toy:를} 가지고 놀아요.",
                         "{x}의 {species} {pet:는} {toy:를} 좋아해요.",
                         "{toy:는} {pet}의 장난감이에요."},
          .questions = {"{pet:는} 무엇을 가지고 놀아요?", "{pet}의 장난감은 뭐예요?",
                        "{pet:는} 어떤 장난감을 좋아해요?", "{pet}의 장난감을 알려 주세요.",
                        "{pet:가} 가지고 노는 것은 뭐예요?",
                        "{species} {pet:는} 무엇을 가지고 놀아요?", "{pet}의 장난감은 무엇인가요?",
                        "{pet:는} 뭐 가지고 놀아?", "{pet:가} 좋아하는 장난감은 뭐예요?"},
          .held_out = {"{pet:는} 무엇을 가지고 노나요?", "{pet:가} 가지고 노는 것은 무엇인가요?",
                       "{pet:가} 좋아하는 장난감을 알려 주세요."},
          .follow_up = "",
          .answer = "{pet:는} {toy:를} 가지고 놀아요.",
          .also = {"{toy}", "{toy:예요}", "{pet}의 장난감은 {toy:예요}.",
                   "{pet:는} {toy:를} 좋아해요."}};
}

Phrases sight() {
  return {.statements = {"{place:는} {sight:로} 유명해요.", "{place}에는 {sight:가} 있어요.",
                         "{sight:는} {place}에 있어요.", "사람들은 {sight:를} 보러 {place}에 가요.",
                         "{place}의 자랑은 {sight:예요}.", "{place:는} {sight:로} 유명하다."},
          .questions = {"{place:는} 무엇으로 유명해요?", "{place}에는 무엇이 있어요?",
                        "{place}에서 무엇을 볼 수 있어요?", "{place}의 자랑은 뭐예요?",
                        "{place}의 자랑을 알려 주세요.", "{place:는} 무엇으로 유명한가요?",
                        "사람들은 {place}에 무엇을 보러 가요?", "{place:는} 뭐가 유명해?",
                        "{place:가} 무엇으로 유명한지 알려 주세요."},
          .held_out = {"{place:는} 뭐가 유명해요?", "{place}의 자랑은 무엇인가요?",
                       "{place}에서 무엇을 볼 수 있는지 알려 주세요."},
          .follow_up = "",
          .answer = "{place:는} {sight:로} 유명해요.",
          .also = {"{sight}", "{sight:예요}", "{place}에는 {sight:가} 있어요.",
                   "{place}의 자랑은 {sight:예요}."}};
}

Phrases nature() {
  return {
      .statements = {"{place:는} {nature} 옆에 있어요.", "{place} 옆에는 {nature:가} 있어요.",
                     "{nature} 옆에 {place:가} 있어요.", "{place} 사람들은 {nature} 옆에 살아요.",
                     "{place:는} {nature} 옆에 있다."},
      .questions = {"{place} 옆에는 무엇이 있어요?", "{place:는} 어디에 있어요?",
                    "{place:는} 무엇 옆에 있어요?", "{place} 옆에 있는 것은 뭐예요?",
                    "{place:가} 어디에 있는지 알려 주세요.", "{place} 옆에는 무엇이 있나요?",
                    "{place} 사람들은 무엇 옆에 살아요?", "{place:는} 어디에 있어?",
                    "{place} 옆에 무엇이 있는지 알려 주세요."},
      .held_out = {"{place:는} 어디에 있나요?", "{place} 옆에 있는 것은 무엇인가요?",
                   "{place:가} 무엇 옆에 있는지 알려 주세요."},
      .follow_up = "",
      .answer = "{place:는} {nature} 옆에 있어요.",
      .also = {"{nature}", "{nature:예요}", "{nature} 옆에 있어요.",
               "{place} 옆에는 {nature:가} 있어요."}};
}

Phrases who_job() {
  return {.statements = {},
          .questions = {"{job:는} 누구예요?", "{job:로} 일하는 사람은 누구예요?",
                        "누가 {job:예요}?", "{job}의 이름은 뭐예요?",
                        "{job:가} 누구인지 알려 주세요.", "{job:는} 누구인가요?",
                        "누가 {job:로} 일해요?", "{job:는} 누구야?", "{job}의 이름을 알려 주세요."},
          .held_out = {"{job:로} 일하는 사람은 누구인가요?", "{job}의 이름은 무엇인가요?",
                       "누가 {job:로} 일하는지 알려 주세요."},
          .follow_up = "",
          .answer = "{job:는} {x:예요}.",
          .also = {"{x}", "{x:예요}", "{x:가} {job:예요}.", "{x:는} {job:예요}."}};
}

Phrases who_thing() {
  return {.statements = {},
          .questions = {"{thing:는} 누구의 것이에요?", "{thing}의 주인은 누구예요?",
                        "누가 {thing:를} 가지고 있어요?", "{colour} {thing}의 주인은 누구예요?",
                        "{thing}의 주인을 알려 주세요.", "{colour} {thing:는} 누구의 것인가요?",
                        "누가 {colour} {thing:를} 가지고 있나요?", "{thing:는} 누구의 것이야?",
                        "{thing:를} 가진 사람은 누구예요?"},
          .held_out = {"{thing}의 주인은 누구인가요?", "누가 {thing:를} 가지고 있나요?",
                       "{thing}의 주인이 누구인지 알려 주세요."},
          .follow_up = "",
          .answer = "{thing:는} {x}의 것이에요.",
          .also = {"{x}", "{x:예요}", "{x}의 것이에요.", "{thing}의 주인은 {x:예요}.",
                   "{x:가} {thing:를} 가지고 있어요.", "{colour} {thing:는} {x}의 것이에요."}};
}

Phrases who_pet() {
  return {.statements = {},
          .questions = {"{pet:는} 누구의 {species:예요}?", "{pet}의 주인은 누구예요?",
                        "누가 {pet:를} 키워요?", "{pet:는} 누구와 함께 살아요?",
                        "{pet}의 주인을 알려 주세요.", "{species} {pet:를} 키우는 사람은 누구예요?",
                        "{pet:는} 누구의 동물인가요?", "{pet:는} 누가 키워?",
                        "{species} {pet}의 주인은 누구야?"},
          .held_out = {"{pet}의 주인은 누구인가요?", "누가 {pet:를} 키우나요?",
                       "{pet:가} 누구의 {species}인지 알려 주세요."},
          .follow_up = "",
          .answer = "{pet:는} {x}의 {species:예요}.",
          .also = {"{x}", "{x:예요}", "{pet}의 주인은 {x:예요}.", "{x:가} {pet:를} 키워요.",
                   "{pet:는} {x}의 동물이에요."}};
}

Phrases who_deed() {
  return {.statements = {},
          .questions = {"누가 {deed}어요?", "{deed}던 사람은 누구예요?", "작년에 누가 {deed}어요?",
                        "{deed}던 사람의 이름은 뭐예요?", "누가 {deed}는지 알려 주세요.",
                        "{deed}던 사람은 누구인가요?", "작년 {season}에 누가 {deed}나요?",
                        "누가 {deed}어?", "{deed}던 사람을 알려 주세요."},
          .held_out = {"{deed}던 사람의 이름은 무엇인가요?",
                       "작년 {season}에 {deed}던 사람은 누구예요?",
                       "{deed}던 사람의 이름을 알려 주세요."},
          .follow_up = "",
          .answer = "{x:가} {deed}어요.",
          .also = {"{x}", "{x:예요}", "{x:는} {deed}어요.", "{deed}던 사람은 {x:예요}."}};
}

Phrases where_sight() {
  return {
      .statements = {},
      .questions = {"{sight:는} 어디에 있어요?", "{sight:가} 있는 마을은 어디예요?",
                    "어느 마을에 {sight:가} 있어요?", "어디에서 {sight:를} 볼 수 있어요?",
                    "{sight:가} 어디에 있는지 알려 주세요.", "{sight:는} 어느 마을에 있나요?",
                    "{sight:로} 유명한 마을은 어디예요?", "{sight:는} 어디에 있어?",
                    "{sight:가} 있는 마을의 이름은 뭐예요?"},
      .held_out = {"{sight:는} 어디에 있나요?", "{sight:로} 유명한 마을은 어디인가요?",
                   "{sight:가} 어느 마을에 있는지 알려 주세요."},
      .follow_up = "",
      .answer = "{sight:는} {place}에 있어요.",
      .also = {"{place}", "{place:예요}", "{place}에 있어요.", "{place}에는 {sight:가} 있어요."}};
}

}  // namespace

const Phrases& korean_phrases(Relation relation) {
  static const std::array<Phrases, kRelations> table = {
      home(),   job(),         food(),      hobby(),   species(),  pet(),        thing(),
      colour(), best_friend(), deed(),      season(),  coat(),     toy(),        sight(),
      nature(), who_job(),     who_thing(), who_pet(), who_deed(), where_sight()};
  return table[static_cast<size_t>(relation)];
}

}  // namespace malssi::world
